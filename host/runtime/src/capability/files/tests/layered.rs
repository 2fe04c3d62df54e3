//! Tests of the plugin folder that is copied on write.

use wasmtime_wasi::p2::bindings::filesystem::types::HostDirectoryEntryStream as _;

use super::*;

impl Rig {
    async fn read(&mut self, path: &str) -> FsResult<String> {
        let file = self.open(self.plugin, path, OpenFlags::empty()).await?;
        let (content, _) = self.view().read(fd(file), 10_000, 0).await?;
        self.close(file);
        Ok(String::from_utf8(content).unwrap())
    }

    async fn put(&mut self, path: &str, length: usize) -> FsResult<()> {
        let how = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        let file = self.open(self.plugin, path, how).await?;
        let written = self.write(file, 0, length).await;
        self.close(file);
        written.map(drop)
    }

    async fn names(&mut self, path: &str) -> Vec<String> {
        let flags = DescriptorFlags::READ;
        let (top, follow) = (fd(self.plugin), PathFlags::SYMLINK_FOLLOW);
        let mut view = self.view();
        let opening = view.open_at(top, follow, path.to_owned(), OpenFlags::DIRECTORY, flags);
        let folder = opening.await.unwrap();
        let stream = view.read_directory(fd(folder.rep())).await.unwrap();
        let mut names = Vec::new();
        while let Some(entry) = view
            .read_directory_entry(Resource::new_borrow(stream.rep()))
            .await
            .unwrap()
        {
            names.push(entry.name);
        }
        names.sort();
        self.close(folder.rep());
        names
    }

    async fn remove(&mut self, path: &str) -> FsResult<()> {
        let top = fd(self.plugin);
        self.view().unlink_file_at(top, path.to_owned()).await
    }

    async fn make_folder(&mut self, path: &str) -> FsResult<()> {
        let top = fd(self.plugin);
        self.view().create_directory_at(top, path.to_owned()).await
    }

    async fn remove_folder(&mut self, path: &str) -> FsResult<()> {
        let top = fd(self.plugin);
        self.view().remove_directory_at(top, path.to_owned()).await
    }

    async fn move_to(&mut self, from: &str, to: &str) -> FsResult<()> {
        let (old, new) = (fd(self.plugin), fd(self.plugin));
        self.view()
            .rename_at(old, from.to_owned(), new, to.to_owned())
            .await
    }

    /// Asserts that the plugin folder is as it was made.
    fn assert_untouched(&self) {
        let mut names: Vec<_> = fs::read_dir(self.path("plugin"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["inner", "plugin.py"]);
        let inner = fs::read(self.path("plugin/inner/deep/file")).unwrap();
        assert_eq!(inner, b"deep");
        let code = fs::read(self.path("plugin/plugin.py")).unwrap();
        assert_eq!(code, b"code");
    }
}

fn rig(bytes: u64, files: u64) -> Rig {
    let rig = Rig::layered(bytes, files);
    fs::create_dir_all(rig.path("plugin/inner/deep")).unwrap();
    fs::write(rig.path("plugin/inner/deep/file"), "deep").unwrap();
    rig
}

#[tokio::test]
async fn a_changed_file_is_a_copy() {
    let mut rig = rig(100, 10);
    let file = rig.open(rig.plugin, "plugin.py", OpenFlags::TRUNCATE).await;
    let file = file.unwrap();
    rig.write(file, 0, 3).await.unwrap();
    rig.close(file);
    assert_eq!(rig.read("plugin.py").await.unwrap(), "\u{1}\u{1}\u{1}");
    rig.assert_untouched();
    rig.assert_usage(3, 1);
}

#[tokio::test]
async fn writing_into_a_file_copies_its_content_and_folders() {
    let mut rig = rig(100, 10);
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let top = fd(rig.plugin);
    let opening = rig
        .view()
        .open_at(
            top,
            PathFlags::empty(),
            "inner/deep/file".to_owned(),
            OpenFlags::empty(),
            flags,
        )
        .await
        .unwrap();
    rig.write(opening.rep(), 4, 1).await.unwrap();
    rig.close(opening.rep());
    assert_eq!(rig.read("inner/deep/file").await.unwrap(), "deep\u{1}");
    rig.assert_untouched();
    rig.assert_usage(5, 3);
}

#[tokio::test]
async fn new_names_are_listed_among_the_old_ones() {
    let mut rig = rig(100, 10);
    rig.put("new", 1).await.unwrap();
    rig.put("inner/new", 1).await.unwrap();
    rig.make_folder("made").await.unwrap();
    rig.put("made/file", 1).await.unwrap();
    let expected = ["inner", "made", "new", "plugin.py"];
    assert_eq!(rig.names(".").await, expected);
    assert_eq!(rig.names("inner").await, ["deep", "new"]);
    assert_eq!(rig.names("made").await, ["file"]);
    rig.assert_untouched();
    let taken = rig.make_folder("inner").await.map_err(code);
    assert_eq!(taken, Err(ErrorCode::Exist));
    let nowhere = rig.put("absent/file", 1).await.map_err(code);
    assert_eq!(nowhere, Err(ErrorCode::NoEntry));
}

#[tokio::test]
async fn what_was_deleted_is_gone_and_can_be_made_again() {
    let mut rig = rig(100, 10);
    rig.remove("plugin.py").await.unwrap();
    assert_eq!(
        rig.read("plugin.py").await.map_err(code),
        Err(ErrorCode::NoEntry)
    );
    assert_eq!(
        rig.remove("plugin.py").await.map_err(code),
        Err(ErrorCode::NoEntry)
    );
    assert_eq!(rig.names(".").await, ["inner"]);
    rig.put("plugin.py", 2).await.unwrap();
    assert_eq!(rig.names(".").await, ["inner", "plugin.py"]);
    rig.remove("plugin.py").await.unwrap();
    assert_eq!(rig.names(".").await, ["inner"]);

    let full = rig.remove_folder("inner").await.map_err(code);
    assert_eq!(full, Err(ErrorCode::NotEmpty));
    rig.remove("inner/deep/file").await.unwrap();
    rig.remove_folder("inner/deep").await.unwrap();
    rig.remove_folder("inner").await.unwrap();
    assert_eq!(rig.names(".").await, Vec::<String>::new());
    rig.make_folder("inner").await.unwrap();
    assert_eq!(rig.names("inner").await, Vec::<String>::new());
    assert!(rig.read("inner/deep/file").await.is_err());
    rig.assert_untouched();
    rig.assert_usage(0, 3);
}

#[tokio::test]
async fn files_are_renamed_and_folders_that_are_only_here() {
    let mut rig = rig(100, 20);
    rig.move_to("plugin.py", "inner/moved").await.unwrap();
    assert_eq!(rig.read("inner/moved").await.unwrap(), "code");
    assert!(rig.read("plugin.py").await.is_err());
    rig.move_to("inner/moved", "inner/deep/file").await.unwrap();
    assert_eq!(rig.read("inner/deep/file").await.unwrap(), "code");
    rig.make_folder("made").await.unwrap();
    rig.put("made/file", 1).await.unwrap();
    rig.move_to("made", "other").await.unwrap();
    assert_eq!(rig.names("other").await, ["file"]);
    let moved = rig.move_to("inner", "elsewhere").await.map_err(code);
    assert_eq!(moved, Err(ErrorCode::CrossDevice));
    rig.assert_untouched();
}

#[tokio::test]
async fn files_go_to_and_from_the_data_folder() {
    let mut rig = rig(100, 20);
    rig.fill("file", 7).await;
    let (data, plugin) = (rig.data, rig.plugin);
    let moving = rig
        .view()
        .rename_at(fd(data), "file".into(), fd(plugin), "got".into())
        .await;
    moving.unwrap();
    assert_eq!(rig.read("got").await.unwrap().len(), 7);
    let moving = rig
        .view()
        .rename_at(fd(plugin), "plugin.py".into(), fd(data), "taken".into())
        .await;
    moving.unwrap();
    assert_eq!(fs::read(rig.path("data/taken")).unwrap(), b"code");
    assert_eq!(rig.names(".").await, ["got", "inner"]);
    rig.assert_untouched();
}

#[tokio::test]
async fn changes_count_and_are_refused_at_the_limit() {
    let mut rig = rig(10, 3);
    let refused = rig.put("large", 11).await.map_err(code);
    assert_eq!(refused, Err(ErrorCode::InsufficientSpace));
    assert!(rig.logged("data-bytes"));
    for n in 0..2 {
        rig.put(&format!("f{n}"), 1).await.unwrap();
    }
    let refused = rig.put("more", 1).await.map_err(code);
    assert_eq!(refused, Err(ErrorCode::InsufficientSpace));
    // A deletion needs a marker.
    let refused = rig.remove("plugin.py").await.map_err(code);
    assert_eq!(refused, Err(ErrorCode::InsufficientSpace));
    assert_eq!(rig.read("plugin.py").await.unwrap(), "code");
    assert!(rig.logged("data-files"));
    rig.assert_untouched();
}

#[tokio::test]
async fn a_file_that_does_not_fit_is_left_as_it_was() {
    let mut rig = rig(3, 10);
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let (top, none) = (fd(rig.plugin), PathFlags::empty());
    let opened = rig
        .view()
        .open_at(top, none, "plugin.py".to_owned(), OpenFlags::empty(), flags)
        .await;
    assert_eq!(opened.err().map(code), Some(ErrorCode::InsufficientSpace));
    assert_eq!(rig.read("plugin.py").await.unwrap(), "code");
    rig.assert_usage(0, 0);
}

#[tokio::test]
async fn markers_cannot_be_named_and_paths_stay_inside() {
    let mut rig = rig(100, 10);
    rig.remove("plugin.py").await.unwrap();
    for path in [
        ".cordon-hidden-plugin.py",
        "inner/.cordon-hidden-x",
        "../outside/secret",
        "inner/../../outside/secret",
        "/etc/passwd",
    ] {
        let refused = Err(ErrorCode::NotPermitted);
        assert_eq!(
            rig.read(path).await.map_err(code),
            refused.clone(),
            "{path}"
        );
        assert_eq!(
            rig.put(path, 1).await.map_err(code),
            refused.map(drop),
            "{path}"
        );
    }
    std::os::unix::fs::symlink(rig.path("outside"), rig.path("plugin/out")).unwrap();
    assert!(rig.read("out/secret").await.is_err());
    assert!(rig.put("out/secret", 1).await.is_err());
    assert_eq!(fs::read(rig.path("outside/secret")).unwrap(), b"secret");
}
