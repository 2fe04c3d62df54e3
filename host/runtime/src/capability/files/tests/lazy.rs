//! Tests that folders are open only while they are used, and the root.

use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorType, HostDirectoryEntryStream as _,
};

use super::*;

/// Files that this process holds open below a folder.
fn open_below(folder: &std::path::Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").unwrap();
    links
        .filter_map(|link| fs::read_link(link.unwrap().path()).ok())
        .filter(|target| target.starts_with(folder))
        .count()
}

#[tokio::test]
async fn an_idle_instance_holds_no_file_open() {
    let mut rig = Rig::new(100, 10);
    let below = rig.folder.path().to_owned();
    assert_eq!(open_below(&below), 0);
    rig.fill("file", 10).await;
    rig.open(rig.plugin, "plugin.py", OpenFlags::empty())
        .await
        .map(|file| rig.close(file))
        .unwrap();
    assert_eq!(open_below(&below), 2);
    let tree = rig.tree.clone();
    tree.release(&mut rig.table);
    assert_eq!(open_below(&below), 0);
    rig.unlink("file").await;
    assert!(!rig.path("data/file").exists());
}

#[tokio::test]
async fn a_file_that_the_plugin_holds_stays_open() {
    let mut rig = Rig::new(100, 10);
    let file = rig.create("file").await;
    let tree = rig.tree.clone();
    tree.release(&mut rig.table);
    assert_eq!(rig.write(file, 0, 5).await.unwrap(), 5);
    rig.close(file);
}

#[tokio::test]
async fn the_root_has_the_folders_and_nothing_else() {
    let mut rig = Rig::new(100, 10);
    let root = rig.open(rig.root, ".", OpenFlags::DIRECTORY).await;
    let root = match root {
        Ok(root) => root,
        // The root was asked for with leave to write.
        Err(error) => {
            assert_eq!(code(error), ErrorCode::NotPermitted);
            rig.root
        }
    };
    let stream = rig.view().read_directory(fd(root)).await.unwrap();
    let mut names = Vec::new();
    loop {
        let borrowed = Resource::new_borrow(stream.rep());
        let next = rig.view().read_directory_entry(borrowed).await.unwrap();
        match next {
            Some(entry) => {
                assert_eq!(entry.type_, DescriptorType::Directory);
                names.push(entry.name);
            }
            None => break,
        }
    }
    assert_eq!(names, ["cache", "data", "plugin", "tmp"]);
    let file = rig
        .open(rig.root, "plugin/plugin.py", OpenFlags::empty())
        .await;
    assert!(file.is_ok());
    for (path, how, expected) in [
        ("etc/passwd", OpenFlags::empty(), ErrorCode::NoEntry),
        ("../etc/passwd", OpenFlags::empty(), ErrorCode::NotPermitted),
        ("new", OpenFlags::CREATE, ErrorCode::NoEntry),
        ("plugin/new", OpenFlags::CREATE, ErrorCode::NotPermitted),
        ("/etc/passwd", OpenFlags::empty(), ErrorCode::NotPermitted),
    ] {
        let opened = rig.open(rig.root, path, how).await;
        assert_eq!(opened.err().map(code), Some(expected), "{path}");
    }
}
