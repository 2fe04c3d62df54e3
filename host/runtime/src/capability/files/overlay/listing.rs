//! Lists the entries that show in a folder of two layers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use cordon_base::account::Charge;

impl FilesView<'_> {
    /// The entries of one layer's folder; none if it is no folder there.
    pub(super) async fn entries(
        &mut self,
        layer: &Fd,
        path: &str,
    ) -> FsResult<(Vec<DirectoryEntry>, Option<Charge>)> {
        let follow = PathFlags::SYMLINK_FOLLOW;
        match self.look(layer, follow, &below(path)).await {
            Some(stat) if stat.type_ == DescriptorType::Directory => {}
            _ => return Ok((Vec::new(), None)),
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
        let read = self.real_entries(&folder).await;
        self.files.table.delete(folder)?;
        let (entries, charge) = read?;
        let entries = entries.into_iter().collect::<FsResult<Vec<_>>>()?;
        Ok((entries, Some(charge)))
    }

    /// The entries that show in a folder, and the charges for them.
    pub(super) async fn listing(
        &mut self,
        path: &str,
    ) -> FsResult<(VecDeque<DirectoryEntry>, Vec<Charge>)> {
        let (lower, upper) = self.layers().await?;
        let mut charges = Vec::new();
        let mut shown = BTreeMap::new();
        let mut hidden = BTreeSet::new();
        let (above, charge) = self.entries(&upper, path).await?;
        charges.extend(self.twice(charge)?);
        for entry in above {
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
            let (below, charge) = self.entries(&lower, path).await?;
            charges.extend(self.twice(charge)?);
            for entry in below {
                if !hidden.contains(&entry.name) {
                    shown.entry(entry.name.clone()).or_insert(entry);
                }
            }
        }
        Ok((shown.into_values().collect(), charges))
    }

    /// Names are held once more where two layers are laid over each other.
    fn twice(&self, charge: Option<Charge>) -> FsResult<Option<Charge>> {
        let Some(mut charge) = charge else {
            return Ok(None);
        };
        let bytes = charge.bytes();
        charge.grow(bytes).map_err(|hit| self.over(&hit))?;
        Ok(Some(charge))
    }

    pub(in crate::capability::files) async fn layered_read_directory(
        &mut self,
        path: &str,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let (_, upper) = self.layers().await?;
        let (entries, charges) = self.listing(path).await?;
        self.listing_stream(upper, entries, charges).await
    }

    /// A stream that gives these entries; `folder` is any that can be read.
    pub(in crate::capability::files) async fn listing_stream(
        &mut self,
        folder: Fd,
        entries: VecDeque<DirectoryEntry>,
        charges: Vec<Charge>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let stream = self.real_read_directory(folder).await?;
        self.tree.keep_listing(stream.rep(), entries);
        self.tree.add_charges(stream.rep(), charges);
        Ok(stream)
    }
}
