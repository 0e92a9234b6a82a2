use super::*;

/// sha256 of "one".
const ONE: &str = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";

fn place(list: &'static str) -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let distribution = Distribution {
        title: "Test 1",
        folder: "test-1",
        pom: "<project/>",
        list,
    };
    let place = Place::new(distribution, folder.path()).unwrap();
    (folder, place)
}

fn put(place: &Place, path: &str, content: &str) {
    let file = place.repository.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

const LIST: &str = concat!(
    "org.example:a:1 3 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\n",
    "org.example.sub:b:2.0:linux-x86_64 3 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed\n",
);
const A: &str = "org/example/a/1/a-1.jar";
const B: &str = "org/example/sub/b/2.0/b-2.0-linux-x86_64.jar";

#[test]
fn a_line_names_a_file_of_the_repository() {
    let jars: Vec<Jar> = LIST.lines().filter_map(Jar::parse).collect();
    assert_eq!(
        jars.iter().map(|jar| jar.path.as_str()).collect::<Vec<_>>(),
        [A, B]
    );
    assert_eq!((jars[0].bytes, jars[0].sha256.as_str()), (3, ONE));
    assert_eq!(Jar::parse("org.example:a 3 00"), None);
    assert_eq!(Jar::parse("org.example:a:1 many 00"), None);
}

#[test]
fn every_line_of_the_committed_lists_is_a_jar() {
    for (distribution, name, version) in [
        (CASSANDRA, "org.apache.cassandra:cassandra-all", "5.0.9"),
        (PULSAR, "org.apache.pulsar:pulsar-broker", "4.0.7"),
    ] {
        let jars = distribution.jars();
        assert_eq!(jars.len(), distribution.list.lines().count());
        assert_eq!(jars[0].coordinates, format!("{name}:{version}"));
        let whole = |jar: &Jar| jar.sha256.len() == 64 && jar.bytes > 0;
        assert!(jars.iter().all(whole));
        let tag = format!("<version>{version}</version>");
        assert!(distribution.pom.contains(&tag) && distribution.folder.ends_with(version));
    }
}

#[test]
fn checked_once_then_known_until_a_file_changes() {
    let (_folder, place) = place(LIST);
    put(&place, A, "one");
    put(&place, B, "one");
    assert!(place.known().unwrap().is_none(), "not checked yet");
    let (place, missing) = place.make_ready().unwrap();
    assert_eq!(missing, []);
    let (repository, distribution) = (place.repository.clone(), place.distribution);
    let checked = place.check_and_remember().unwrap();
    let jars = std::env::split_paths(&checked.value).collect::<Vec<_>>();
    assert_eq!(jars, [repository.join(A), repository.join(B)]);

    let place = Place::new(distribution, repository.parent().unwrap()).unwrap();
    assert_eq!(
        place.known().unwrap().unwrap().fingerprint,
        checked.fingerprint
    );
    let other = Distribution {
        list: LIST.split_inclusive('\n').next().unwrap(),
        ..distribution
    };
    let other = Place::new(other, repository.parent().unwrap()).unwrap();
    assert!(
        other.known().unwrap().is_none(),
        "another list was not checked"
    );
    put(&place, B, "longer");
    assert!(place.known().unwrap().is_none(), "a size differs");
}

#[test]
fn a_jar_that_differs_is_fetched_anew_and_refused_by_name() {
    let (_folder, place) = place(LIST);
    put(&place, A, "two");
    let (place, missing) = place.make_ready().unwrap();
    assert_eq!(
        missing
            .iter()
            .map(|jar| jar.path.as_str())
            .collect::<Vec<_>>(),
        [A, B]
    );
    assert!(!place.repository.join(A).exists());
    put(&place, A, "two");
    put(&place, B, "three");
    let message = place.check_and_remember().unwrap_err().to_string();
    assert!(
        message.contains("  org.example:a:1: sha256 3fc4"),
        "{message}"
    );
    assert!(
        message.contains("org.example.sub:b:2.0:linux-x86_64: 5 bytes instead of 3"),
        "{message}"
    );
}

#[tokio::test]
async fn of_two_that_fetch_one_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = lock(&path, "Test").await.unwrap();
    let second = tokio::spawn(async move { lock(&path, "Test").await.map(drop) });
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    drop(first);
    second.await.unwrap().unwrap();
}
