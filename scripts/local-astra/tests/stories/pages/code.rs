//! The code in the pages is the code that is compiled.

use std::path::Path;

use super::{Block, Page, REFRESH, pages, refreshing};
use crate::astra::{Sample, samples, workspace};
use crate::copies::copying::files;

/// Returns the files of a sample that are written by hand, except for its manifest and its page. The others come from
/// cargo, from a server, or from the authors of an API.
pub fn written(sample: &Sample) -> Vec<String> {
    let by_others = |file: &str| {
        ["Cargo.toml", "Cargo.lock", "README.md", ".env"].contains(&file)
            || file.starts_with("target/")
            || file.starts_with("proto/")
            || (file.starts_with("graphql/") && file.ends_with(".json"))
    };
    let all = files(&sample.folder).into_iter();
    all.filter(|file| !by_others(file)).collect()
}

/// Returns the block with a whole file of the sample: the first whose introduction contains only this file.
pub fn whole(page: &Page, file: &str) -> Option<(usize, Block)> {
    let mut blocks = page.blocks().into_iter().enumerate();
    blocks.find(|(_, block)| block.section == "Sample Code" && block.introduced_by == [file])
}

/// Returns true if the code is a part of the file, in whole lines.
fn is_piece(code: &str, of: &str) -> bool {
    !code.trim().is_empty() && format!("\n{of}").contains(&format!("\n{code}"))
}

/// Returns the contents of the files in the introduction of a block, from the page's folder or the top.
fn introduced(page: &Page, block: &Block) -> Vec<String> {
    let beside = page.path.parent().unwrap();
    let names = block.introduced_by.iter();
    names
        .flat_map(|name| [workspace().join(beside).join(name), workspace().join(name)])
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}

/// Returns true if a crate runs the blocks of its page as doc tests.
fn is_doc_test(page: &Page, block: &Block) -> bool {
    let library = workspace().join(page.path.with_file_name("src/lib.rs"));
    let includes = |text: String| text.contains("include_str!(\"../README.md\")");
    block.language.starts_with("rust") && std::fs::read_to_string(library).is_ok_and(includes)
}

#[test]
fn each_block_of_code_is_of_the_file_that_its_introduction_names() {
    let mut count = 0;
    for page in pages() {
        for (number, block) in page.blocks().iter().enumerate() {
            let at = format!("{}:{}", page.path.display(), block.line);
            match block.language.as_str() {
                "sh" | "text" | "mermaid" => continue,
                _ if is_doc_test(&page, block) => continue,
                "rust" | "graphql" | "json" | "toml" => (),
                other => panic!("{at}: no test looks at a block of {other:?}"),
            }
            count += 1;
            let files = introduced(&page, block);
            assert!(
                !files.is_empty(),
                "{at}: name the file right before the block"
            );
            if files.iter().any(|file| is_piece(&block.code, file)) {
                continue;
            }
            if refreshing() && block.language != "toml" {
                page.rewrite(number, &files[0]);
                continue;
            }
            panic!(
                "{at}: this is not what the file has. {REFRESH}:\n{}",
                block.code
            );
        }
    }
    assert!(count >= samples().len(), "{count} blocks");
}

#[test]
fn the_page_of_a_sample_shows_every_file_that_is_written_by_hand() {
    let mut wrong = Vec::new();
    for sample in samples() {
        let page = Page::of(sample);
        for file in written(sample) {
            let text = std::fs::read_to_string(sample.folder.join(&file)).unwrap();
            let Some((number, block)) = whole(&page, &file) else {
                wrong.push(format!("{}: {file} is not on its page", sample.name));
                continue;
            };
            let extension = Path::new(&file).extension().unwrap();
            let language = match extension.to_str().unwrap() {
                "rs" => "rust",
                other => other,
            };
            if block.language != language || block.code != text {
                wrong.push(format!("{}: {file} differs. {REFRESH}", sample.name));
                if refreshing() {
                    page.rewrite(number, &text);
                }
            }
        }
    }
    assert!(refreshing() || wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn half_a_line_is_no_piece_of_a_file() {
    let file = "fn a() {\n    b();\n}\n";
    assert!(
        is_piece("fn a() {\n", file) && is_piece("    b();\n}\n", file) && is_piece(file, file)
    );
    assert!(!is_piece("b();\n", file) && !is_piece("fn a() {\n}\n", file) && !is_piece("\n", file));
}
