//! What shows in a folder of two layers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;

impl FilesView<'_> {
    /// The entries of one layer's folder; none if it is no folder there.
    pub(super) async fn entries(
        &mut self,
        layer: &Fd,
        path: &str,
    ) -> FsResult<Vec<DirectoryEntry>> {
        let follow = PathFlags::SYMLINK_FOLLOW;
        match self.look(layer, follow, &below(path)).await {
            Some(stat) if stat.type_ == DescriptorType::Directory => {}
            _ => return Ok(Vec::new()),
        }
        let folder = self
            .real_open_at(
                same(layer),
                follow,
                below(path),
                OpenFlags::DIRECTORY,
                DescriptorFlags::READ,
            )
            .await?;
        let stream = self.files.read_directory(same(&folder)).await;
        let stream = self.refuse_when_full(stream);
        self.files.table.delete(folder)?;
        self.files.table.delete(stream?)?.into_iter().collect()
    }

    /// What shows in a folder.
    pub(super) async fn listing(&mut self, path: &str) -> FsResult<VecDeque<DirectoryEntry>> {
        let (lower, upper) = self.layers().await?;
        let mut shown = BTreeMap::new();
        let mut hidden = BTreeSet::new();
        for entry in self.entries(&upper, path).await? {
            match entry.name.strip_prefix(MARKER) {
                Some(name) => {
                    hidden.insert(name.to_owned());
                }
                None => {
                    shown.insert(entry.name.clone(), entry);
                }
            }
        }
        if !self.hidden(path).await? {
            for entry in self.entries(&lower, path).await? {
                if !hidden.contains(&entry.name) {
                    shown.entry(entry.name.clone()).or_insert(entry);
                }
            }
        }
        Ok(shown.into_values().collect())
    }

    pub(in crate::capability::files) async fn layered_read_directory(
        &mut self,
        path: &str,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let (_, upper) = self.layers().await?;
        let entries = self.listing(path).await?;
        self.listing_stream(upper, entries).await
    }

    /// A stream that gives these entries; `folder` is any that can be read.
    pub(in crate::capability::files) async fn listing_stream(
        &mut self,
        folder: Fd,
        entries: VecDeque<DirectoryEntry>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let stream = self.files.read_directory(folder).await;
        let stream = self.refuse_when_full(stream)?;
        self.tree.keep_listing(stream.rep(), entries);
        Ok(stream)
    }
}
