//! The code in the pages is the code that is compiled.

use std::path::Path;

use super::{Block, Page, REFRESH, pages, refreshing};
use crate::astra::{samples, workspace};

/// What a page shows of a file: all of it, but of a program not the header, which says what the page says.
fn shown(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let header = |line: &&str| line.starts_with("//!");
    let code: Vec<&str> = text.split_inclusive('\n').skip_while(header).collect();
    Some(code.concat().trim_start_matches('\n').to_owned())
}

/// Whether it is a piece of a file, in whole lines.
fn is_piece(code: &str, of: &str) -> bool {
    !code.trim().is_empty() && format!("\n{of}").contains(&format!("\n{code}"))
}

/// The files that a block may be of: those that its introduction names, in the page's folder or at the top.
fn files(page: &Page, block: &Block) -> Vec<String> {
    let beside = page.path.parent().unwrap();
    let names = block.introduced_by.iter();
    names
        .flat_map(|name| [workspace().join(beside).join(name), workspace().join(name)])
        .filter_map(|path| shown(&path))
        .collect()
}

#[test]
fn each_block_of_code_is_of_the_file_that_its_introduction_names() {
    let mut count = 0;
    for page in pages() {
        for (number, block) in page.blocks().iter().enumerate() {
            let at = format!("{}:{}", page.path.display(), block.line);
            // A test of rustdoc can have attributes: `rust,no_run`.
            match block.language.split(',').next().unwrap_or_default() {
                "rust" | "graphql" | "toml" => (),
                "sh" | "text" | "mermaid" => continue,
                other => panic!("{at}: who looks at a block of {other:?}?"),
            }
            count += 1;
            let files = files(&page, block);
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
fn the_page_of_a_sample_shows_its_whole_program() {
    for sample in samples() {
        let page = Page::of(sample);
        let program = shown(&sample.folder.join("src/main.rs")).unwrap();
        let name = sample.name.as_str();
        assert!(
            program.lines().count() <= 150,
            "{name} has more than a page"
        );
        let blocks = page.blocks();
        let of_it = |block: &&Block| block.introduced_by.iter().any(|file| file == "src/main.rs");
        let mut found = blocks
            .iter()
            .filter(|block| block.language == "rust")
            .filter(of_it);
        let block = found
            .next()
            .unwrap_or_else(|| panic!("{name}: src/main.rs is not in its page"));
        assert_eq!(block.section, "Sample Code", "{name}");
        // While pages are rewritten, the test above sees to it.
        assert!(refreshing() || block.code == program, "{name}: {REFRESH}");
    }
}

#[test]
fn half_a_line_is_no_piece_of_a_file() {
    let file = "fn a() {\n    b();\n}\n";
    assert!(
        is_piece("fn a() {\n", file) && is_piece("    b();\n}\n", file) && is_piece(file, file)
    );
    assert!(!is_piece("b();\n", file) && !is_piece("fn a() {\n}\n", file) && !is_piece("\n", file));
}
