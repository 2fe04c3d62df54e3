//! Tests of places that a plugin cannot reach and of things that it cannot make.

use std::os::unix::fs::symlink;

use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::p2::bindings::cli::environment::Host as _;
use wasmtime_wasi::p2::bindings::random::random::Host as _;

use super::*;

#[tokio::test]
async fn paths_and_links_that_lead_out_are_refused() {
    let mut rig = Rig::new(100, 10);
    let outside = rig.path("outside");
    for folder in ["plugin", "data"] {
        symlink(outside.join("secret"), rig.path(folder).join("file")).unwrap();
        symlink(&outside, rig.path(folder).join("folder")).unwrap();
        symlink("../outside/secret", rig.path(folder).join("relative")).unwrap();
        symlink(outside.join("new"), rig.path(folder).join("dangling")).unwrap();
        fs::create_dir(rig.path(folder).join("inner")).unwrap();
    }
    let secret = outside.join("secret");
    let ways = [
        "file",
        "folder/secret",
        "relative",
        "../outside/secret",
        "inner/../../outside/secret",
        secret.to_str().unwrap(),
    ];
    for folder in [rig.plugin, rig.data] {
        for path in ways {
            let error = rig
                .open(folder, path, OpenFlags::empty())
                .await
                .unwrap_err();
            assert_eq!(code(error), ErrorCode::NotPermitted, "{path}");
        }
    }
    for path in ways
        .into_iter()
        .chain(["dangling", "folder/new", "../outside/new"])
    {
        for how in [OpenFlags::CREATE, OpenFlags::TRUNCATE] {
            let opened = rig.open(rig.data, path, how).await;
            assert!(opened.is_err(), "{path}");
        }
    }
    for path in ["../outside/secret", "folder/secret"] {
        let data = fd(rig.data);
        let gone = rig.view().unlink_file_at(data, path.to_owned()).await;
        assert_eq!(code(gone.unwrap_err()), ErrorCode::NotPermitted, "{path}");
        let (old, new) = (fd(rig.data), fd(rig.data));
        let mut view = rig.view();
        let renaming = view.rename_at(old, path.to_owned(), new, "got".to_owned());
        assert!(renaming.await.is_err(), "{path}");
    }
    assert_eq!(fs::read(secret).unwrap(), b"secret");
    assert_eq!(fs::read_dir(outside).unwrap().count(), 1);
}

#[tokio::test]
async fn links_inside_a_folder_work() {
    let mut rig = Rig::new(100, 10);
    symlink("plugin.py", rig.path("plugin/link")).unwrap();
    let file = rig
        .open(rig.plugin, "link", OpenFlags::empty())
        .await
        .unwrap();
    let (content, _) = rig.view().read(fd(file), 100, 0).await.unwrap();
    assert_eq!(content, b"code");
}

#[tokio::test]
async fn the_plugin_folder_cannot_be_changed_and_costs_nothing() {
    let mut rig = Rig::new(0, 0);
    let file = rig
        .open(rig.plugin, "plugin.py", OpenFlags::empty())
        .await
        .unwrap();
    let refused = Some(ErrorCode::NotPermitted);
    let plugin = || "plugin.py".to_owned();
    for how in [OpenFlags::CREATE, OpenFlags::TRUNCATE] {
        let opened = rig.open(rig.plugin, "plugin.py", how).await;
        assert_eq!(opened.err().map(code), refused);
    }
    assert_eq!(rig.write(file, 0, 1).await.err().map(code), refused);
    let folder = rig.plugin;
    let mut view = rig.view();
    let stream = view.write_via_stream(fd(file), 0);
    assert_eq!(stream.err().map(code), refused);
    let stream = view.append_via_stream(fd(file));
    assert_eq!(stream.err().map(code), refused);
    let sized = view.set_size(fd(file), 0).await;
    assert_eq!(sized.err().map(code), refused);
    let gone = view.unlink_file_at(fd(folder), plugin()).await;
    assert_eq!(gone.err().map(code), refused);
    let made = view.create_directory_at(fd(folder), "new".to_owned()).await;
    assert_eq!(made.err().map(code), refused);
    let renaming = view.rename_at(fd(folder), plugin(), fd(folder), "new".to_owned());
    assert_eq!(renaming.await.err().map(code), refused);
    assert_eq!(fs::read(rig.path("plugin/plugin.py")).unwrap(), b"code");
    assert!(!rig.logged("limit"));
}

#[tokio::test]
async fn links_cannot_be_made() {
    let mut rig = Rig::new(100, 10);
    rig.fill("file", 10).await;
    let data = rig.data;
    let mut view = rig.view();
    let (old, new) = ("file".to_owned(), "link".to_owned());
    let linking = view.link_at(
        fd(data),
        PathFlags::empty(),
        old.clone(),
        fd(data),
        new.clone(),
    );
    assert_eq!(code(linking.await.unwrap_err()), ErrorCode::NotPermitted);
    let linking = view.symlink_at(fd(data), old, new).await;
    assert_eq!(code(linking.unwrap_err()), ErrorCode::NotPermitted);
    rig.assert_usage(10, 1);
}

#[test]
fn there_is_no_environment_and_random_bytes_are_bounded() {
    let mut rig = Rig::new(100, 10);
    assert!(rig.cli().get_environment().unwrap().is_empty());
    assert!(rig.cli().get_arguments().unwrap().is_empty());
    let random = rig.wasi.random();
    assert_eq!(random.get_random_bytes(100).unwrap().len(), 100);
    assert!(random.get_random_bytes(101).is_err());
}

#[tokio::test]
async fn a_missing_plugin_folder_is_not_found_at_its_use() {
    let mut rig = Rig::new(100, 10);
    fs::remove_dir_all(rig.path("plugin")).unwrap();
    let error = rig.open(rig.plugin, "plugin.py", OpenFlags::empty()).await;
    assert_eq!(code(error.unwrap_err()), ErrorCode::NoEntry);
    assert!(!rig.path("plugin").exists());
}
