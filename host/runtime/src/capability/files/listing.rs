//! The entries of a folder of the host, paid for before they are read.

use std::fs::File;
use std::sync::Arc;

use rustix::fs::Dir;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DirectoryEntryStream, ErrorCode, HostDescriptor,
};
use wasmtime_wasi::p2::{FsError, FsResult};

use super::charged::{Fd, FilesView, same};
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;

/// The cost of an entry beside its name: wasmtime holds all of them at once.
const ENTRY: u64 = 96;

/// Takes from the account the cost of a folder's entries. Blocks.
fn charge(account: &Arc<Account>, folder: &File) -> FsResult<Result<Charge, LimitHit>> {
    let mut charge = match account.charge(0) {
        Ok(charge) => charge,
        Err(hit) => return Ok(Err(hit)),
    };
    for entry in Dir::read_from(folder).map_err(std::io::Error::from)? {
        let entry = entry.map_err(std::io::Error::from)?;
        let name = u64::try_from(entry.file_name().to_bytes().len()).unwrap_or(u64::MAX);
        if let Err(hit) = charge.grow(name.saturating_add(ENTRY)) {
            return Ok(Err(hit));
        }
    }
    Ok(Ok(charge))
}

impl FilesView<'_> {
    /// The entries of a folder, and the charge for them.
    pub(super) async fn real_entries(
        &mut self,
        fd: &Fd,
    ) -> FsResult<(DirectoryEntryStream, Charge)> {
        let account = Arc::clone(self.worker.account());
        let reading = self.at_work([fd], async move |files, [fd]| {
            let charged = match files.table.get(&fd)? {
                Descriptor::Dir(dir) => charge(&account, &dir.dir)?,
                Descriptor::File(_) => return Err(ErrorCode::NotDirectory.into()),
            };
            let charge = match charged {
                Ok(charge) => charge,
                Err(hit) => return Ok(Err(hit)),
            };
            let stream = files.read_directory(same(&fd)).await?;
            Ok(Ok((files.table.delete(stream)?, charge)))
        });
        reading.await?.map_err(|hit| self.over(&hit))
    }

    pub(super) async fn real_read_directory(
        &mut self,
        fd: Fd,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let (entries, charge) = self.real_entries(&fd).await?;
        let pushed = self.files.table.push(entries).map_err(FsError::from);
        let stream = self.refuse_when_full(pushed)?;
        self.tree.add_charges(stream.rep(), vec![charge]);
        Ok(stream)
    }
}
