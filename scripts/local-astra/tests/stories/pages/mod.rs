//! Tests of the pages of this repository.
//!
//! `REFRESH_PAGES=1 cargo test -p local-astra --test stories pages` rewrites the code and the output in them.

pub mod code;
mod links;
mod normal;
mod one_page;
mod output;
mod run;
mod shell;
mod structure;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::astra::{Sample, workspace};

/// A Markdown file.
pub struct Page {
    /// Relative to the top of the repository.
    pub path: PathBuf,
    pub text: String,
}

pub struct Heading {
    pub level: HeadingLevel,
    pub text: String,
    pub line: usize,
    /// True if something other than a heading follows.
    pub followed: bool,
}

/// A fenced block.
#[derive(Clone, Debug)]
pub struct Block {
    /// The word after the fence, such as `sh`.
    pub language: String,
    pub code: String,
    /// Position of the code in the page.
    range: Range<usize>,
    pub line: usize,
    /// The heading of level 2 above it.
    pub section: String,
    /// The words marked as code in the paragraph right before it.
    pub introduced_by: Vec<String>,
}

/// The way to bring a page up to date, for the message of a failed test.
pub const REFRESH: &str =
    "REFRESH_PAGES=1 cargo test -p local-astra --test stories pages rewrites code and output";

/// Returns true if outdated code and output have to be rewritten.
pub fn refreshing() -> bool {
    std::env::var("REFRESH_PAGES").is_ok_and(|value| value == "1")
}

/// Returns all pages, except those in folders of cargo and git.
pub fn pages() -> Vec<Page> {
    fn add(folder: &Path, to: &mut Vec<Page>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    add(&path, to);
                }
            } else if name.ends_with(".md") {
                to.push(Page::read(path.strip_prefix(workspace()).unwrap()));
            }
        }
    }
    let mut all = Vec::new();
    add(&workspace(), &mut all);
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

impl Page {
    /// Reads a page. `path` is relative to the top of the repository.
    pub fn read(path: &Path) -> Page {
        let text = std::fs::read_to_string(workspace().join(path));
        Page {
            text: text.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
            path: path.to_owned(),
        }
    }

    pub fn of(sample: &Sample) -> Page {
        let path = sample.folder.join("README.md");
        Page::read(path.strip_prefix(workspace()).unwrap())
    }

    pub fn events(&self) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES).into_offset_iter()
    }

    /// Returns the line of a position in the text.
    pub fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    pub fn headings(&self) -> Vec<Heading> {
        let mut headings: Vec<Heading> = Vec::new();
        let mut inside = false;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    inside = true;
                    headings.push(Heading {
                        level,
                        text: String::new(),
                        line: self.line(range.start),
                        followed: false,
                    });
                }
                Event::End(TagEnd::Heading(_)) => inside = false,
                Event::Text(text) | Event::Code(text) if inside => {
                    headings.last_mut().unwrap().text.push_str(&text);
                }
                _ if inside => (),
                _ => {
                    if let Some(last) = headings.last_mut() {
                        last.followed = true;
                    }
                }
            }
        }
        headings
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut section = String::new();
        let mut in_heading = false;
        let mut introduced_by = Vec::new();
        let mut open: Option<Block> = None;
        for (event, range) in self.events() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    introduced_by.clear();
                    in_heading = level == HeadingLevel::H2;
                    if in_heading {
                        section.clear();
                    }
                }
                Event::End(TagEnd::Heading(_)) => in_heading = false,
                Event::Start(Tag::Paragraph) => introduced_by.clear(),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    open = Some(Block {
                        language: language.to_string(),
                        code: String::new(),
                        range: 0..0,
                        line: self.line(range.start),
                        section: section.clone(),
                        introduced_by: std::mem::take(&mut introduced_by),
                    });
                }
                Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
                Event::Code(text) if open.is_none() && !in_heading => {
                    introduced_by.push(text.into_string());
                }
                Event::Text(text) | Event::Code(text) => {
                    if in_heading {
                        section.push_str(&text);
                    }
                    if let Some(block) = &mut open {
                        if block.code.is_empty() {
                            block.range = range.clone();
                        }
                        block.range.end = range.end;
                        block.code.push_str(&text);
                    }
                }
                _ => (),
            }
        }
        blocks
    }

    /// Replaces the code in one of the page's blocks, given its number.
    pub fn rewrite(&self, number: usize, code: &str) {
        // Several tests may rewrite blocks of one page.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap();
        let mut page = Page::read(&self.path);
        let range = page.blocks()[number].range.clone();
        page.text.replace_range(range, code);
        std::fs::write(workspace().join(&self.path), page.text).unwrap();
    }
}
