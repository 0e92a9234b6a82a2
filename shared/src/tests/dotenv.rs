//! Finding and parsing of a `.env` file.

use super::*;

/// Reads the keyspace from a `.env`: the shortest way to see how a line is read.
fn keyspace(dotenv: &str) -> String {
    let find = |from: &mut Reader| from.find(&[ASTRA_DB_KEYSPACE], |text| Ok(text.to_owned()));
    let found = load(&[], dotenv, find).unwrap();
    found.unwrap_or("absent".into())
}

#[test]
fn lines_are_read_as_people_write_them() {
    for (line, value) in [
        ("ASTRA_DB_KEYSPACE=k", "k"),
        ("  ASTRA_DB_KEYSPACE = k  ", "k"),
        ("export ASTRA_DB_KEYSPACE=k", "k"),
        ("export\tASTRA_DB_KEYSPACE=k", "k"),
        (" export \t ASTRA_DB_KEYSPACE\t=\tk", "k"),
        ("exportASTRA_DB_KEYSPACE=k", "absent"),
        ("export=ASTRA_DB_KEYSPACE=k", "absent"),
        ("\u{FEFF}ASTRA_DB_KEYSPACE=k", "k"),
        ("A=1\r\nASTRA_DB_KEYSPACE=k\r\nB=2\r\n", "k"),
        ("ASTRA_DB_KEYSPACE=\"k\"", "k"),
        ("ASTRA_DB_KEYSPACE='k'", "k"),
        ("ASTRA_DB_KEYSPACE=\"a b\" # comment", "a b"),
        ("ASTRA_DB_KEYSPACE='a \"b\" c'", "a \"b\" c"),
        ("ASTRA_DB_KEYSPACE=\"it's\"", "it's"),
        ("ASTRA_DB_KEYSPACE='C:\\new'", "C:\\new"),
        ("ASTRA_DB_KEYSPACE=\"C:\\\\new\\d\"", "C:\\new\\d"),
        ("ASTRA_DB_KEYSPACE=\" a\\nb \"", " a\nb "),
        ("ASTRA_DB_KEYSPACE=\"Zoë\"", "Zoë"),
        ("ASTRA_DB_KEYSPACE=\"a \\\"b\\\" c\"", "a \"b\" c"),
        ("ASTRA_DB_KEYSPACE=My Own Org", "My Own Org"),
        ("ASTRA_DB_KEYSPACE=Zoe's \"Org\"", "Zoe's \"Org\""),
        ("ASTRA_DB_KEYSPACE=C:\\new\\table.zip", "C:\\new\\table.zip"),
        ("ASTRA_DB_KEYSPACE=a#b", "a#b"),
        ("ASTRA_DB_KEYSPACE=ä #b", "ä"),
        ("ASTRA_DB_KEYSPACE=a\t# b", "a"),
        ("ASTRA_DB_KEYSPACE=a=b==", "a=b=="),
        ("ASTRA_DB_KEYSPACE=", "absent"),
        ("ASTRA_DB_KEYSPACE=\"\"", "absent"),
        ("ASTRA_DB_KEYSPACE= # comment", "absent"),
        ("#ASTRA_DB_KEYSPACE=k", "absent"),
        ("ASTRA_DB_KEYSPACES=k", "absent"),
        ("ASTRA_DB_KEYSPACE=old\nASTRA_DB_KEYSPACE=new", "new"),
        ("ASTRA_ORG_NAME=it's\nASTRA_DB_KEYSPACE=k\nX=it's", "k"),
        (
            "ASTRA_ORG_NAME=\"\n = \nno line\n\nASTRA_DB_KEYSPACE=k",
            "k",
        ),
    ] {
        assert_eq!(keyspace(line), value, "{line:?}");
    }
}

#[test]
fn a_dollar_is_only_a_dollar() {
    for value in ["a$HOME", "${HOME}b", "$", "a$$b", "p\\$HOME"] {
        assert_eq!(keyspace(&format!("ASTRA_DB_KEYSPACE={value}")), value);
        assert_eq!(keyspace(&format!("ASTRA_DB_KEYSPACE='{value}'")), value);
        let escaped = value.replace("\\$", "$");
        assert_eq!(keyspace(&format!("ASTRA_DB_KEYSPACE=\"{value}\"")), escaped);
    }
}

#[test]
fn a_name_inside_a_quoted_value_is_no_setting() {
    for dotenv in [
        "ASTRA_DB_KEYSPACE=right\nNOTES=\"as the others do:\nASTRA_DB_KEYSPACE=wrong\n\"\n",
        "NOTES=\"\nASTRA_DB_KEYSPACE=wrong\n\" # their notes\nASTRA_DB_KEYSPACE=right",
        "ASTRA_DB_KEYSPACE=right\r\nexport NOTES = 'a\r\nASTRA_DB_KEYSPACE=wrong'\r\n",
        "ASTRA_DB_KEYSPACE=right\nNOTES=\"a \\\"\nASTRA_DB_KEYSPACE=wrong\n\"",
        "ASTRA_DB_KEYSPACE=right\nNOTES='a \"\nASTRA_DB_KEYSPACE=wrong\n'",
        "A=\"1\n2\"\nB='3\n4'\nASTRA_DB_KEYSPACE=right",
    ] {
        assert_eq!(keyspace(dotenv), "right", "{dotenv}");
    }
    // Not closed, or not closed at the end of a line: version 1 of the CLI writes such names of organizations.
    for dotenv in [
        "ASTRA_ORG_NAME=\"Little\nASTRA_DB_KEYSPACE=right\n",
        "ASTRA_ORG_NAME='n Sync\nASTRA_DB_KEYSPACE=right\nA='b'\n",
        "ASTRA_ORG_NAME=\"Little\" Org\nASTRA_DB_KEYSPACE=right\n",
    ] {
        assert_eq!(keyspace(dotenv), "right", "{dotenv}");
    }
    let after = "NOTES=\"\n\n\"\nASTRA_DB_KEYSPACE=-\nASTRA_DB_TOKEN=t\nASTRA_DB_REST_URL=http://r";
    let found = problems(load(&[], after, Rest::read));
    assert!(found[0].contains(", line 4 of /w/.env,"), "{found:?}");
}

#[test]
fn a_line_that_cannot_be_read_is_reported_only_to_a_sample_that_needs_it() {
    for line in [
        "ASTRA_DB_KEYSPACE",
        "ASTRA_DB_KEYSPACE: ks",
        "ASTRA_DB_KEYSPACE=\"ks",
        "ASTRA_DB_KEYSPACE='k' s",
    ] {
        let dotenv = format!("ASTRA_DB_TOKEN=t\nOTHER=\"\nASTRA_DB_REST_URL=http://r\n{line}\n");
        assert_eq!(
            problems(load(&[], &dotenv, Rest::read)),
            ["ASTRA_DB_KEYSPACE, line 4 of /w/.env, cannot be read: write ASTRA_DB_KEYSPACE=value"],
            "{line}"
        );
        load(&[], &dotenv, DevopsOrganization::read).unwrap();
        load(&[("ASTRA_DB_KEYSPACE", "k")], &dotenv, Rest::read).unwrap();
    }
}

#[test]
fn the_nearest_env_file_above_counts() {
    let folder = Folder::new("find");
    let inner = folder.0.join("one/two");
    std::fs::write(folder.0.join(".env"), "A=outer").unwrap();
    std::fs::create_dir(inner.join(".env")).unwrap();
    let found = Dotenv::find(&inner);
    assert_eq!(found.file, Ok(folder.0.join(".env")));
    assert_eq!(found.lines["A"], (1, Ok("outer".into())));

    std::fs::write(folder.0.join("one/.env"), "A=nearer").unwrap();
    assert_eq!(Dotenv::find(&inner).lines["A"], (1, Ok("nearer".into())));
}

/// The line of a message that says where the settings come from.
fn source(folder: &Path) -> String {
    let text = load_from(&[], Dotenv::find(folder), DevopsOrganization::read).unwrap_err();
    let paragraph = text.rsplit("\n\n").next().unwrap();
    paragraph.lines().next().unwrap().to_owned()
}

#[test]
fn a_file_that_is_no_text_is_reported() {
    let folder = Folder::new("no-text");
    let (path, shown) = (folder.0.join(".env"), folder.0.display());
    for bytes in [
        &b"\xFF\xFEA\0=\0"[..],
        b"\xFE\xFF\0A\0=",
        b"A\0=\0",
        b"\0\0\0",
    ] {
        std::fs::write(&path, bytes).unwrap();
        let expected = format!("{shown}/.env is not UTF-8, perhaps UTF-16: save it as UTF-8.");
        assert_eq!(source(&folder.0), expected);
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(
        source(&folder.0),
        format!("{shown}/.env is a folder, not a file.")
    );
    assert_eq!(
        source(Path::new("/nowhere/at/all")),
        "There is no .env in /nowhere/at/all or its parents."
    );
}

#[test]
fn a_line_that_is_not_utf_8_is_reported_only_to_a_sample_that_needs_it() {
    let folder = Folder::new("latin-1");
    let path = folder.0.join(".env");
    let read = |line: &[u8]| {
        let lines = [
            &b"ASTRA_ORG_NAME=Z\xFCrich\nASTRA_ORG_TOKEN=t\nASTRA_DB_REST_URL=http://r\n"[..],
            line,
        ];
        std::fs::write(&path, lines.concat()).unwrap();
        load_from(&[], Dotenv::find(&folder.0), Rest::read)
    };
    read(b"ASTRA_DB_KEYSPACE=k").unwrap();
    let text = read(b"ASTRA_DB_KEYSPACE=\xFC").unwrap_err();
    let expected = format!(
        "\n  ASTRA_DB_KEYSPACE, line 4 of {}, is not UTF-8: save the file as UTF-8\n",
        path.display()
    );
    assert!(text.contains(&expected), "{text}");
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_and_an_environment_that_is_not_utf_8_are_reported() {
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("closed");
    let path = folder.0.join(".env");
    std::fs::write(&path, "A=1").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o0)).unwrap();
    // The superuser may read every file.
    if std::fs::read(&path).is_err() {
        let found = source(&folder.0);
        assert!(found.contains("/.env cannot be read: "), "{found}");
    }

    let lookup = |_: &str| Some(OsString::from_vec(vec![0xFC]));
    let mut reader = Reader::new(&lookup, Dotenv::absent(String::new()));
    let settings = DevopsOrganization::read(&mut reader);
    let text = reader.finish("a-sample", settings).unwrap_err().to_string();
    let problem = "\n  ASTRA_ORG_TOKEN, from the environment, is not UTF-8\n";
    assert!(text.contains(problem), "{text}");
}
