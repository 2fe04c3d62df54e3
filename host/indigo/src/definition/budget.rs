//! What all files of a bundle together may have.
//!
//! A template is read as often as it is named, so a few small files can stand for an
//! endless one. Whatever is read is counted here, so the work is in proportion to the
//! budget however the files name each other.

use std::cell::Cell;

use cordon_base::bounds::{DIALOG_BYTES, TEMPLATES, XML_ALL_BYTES, XML_ALL_NODES};

/// What may still be read.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: Cell<usize>,
    nodes: Cell<usize>,
    templates: Cell<usize>,
    dialogs: Cell<usize>,
}

impl Budget {
    /// The budget of a bundle, or of one dialog that a plugin makes.
    pub(super) fn new() -> Self {
        Self {
            bytes: Cell::new(XML_ALL_BYTES),
            nodes: Cell::new(XML_ALL_NODES),
            templates: Cell::new(TEMPLATES),
            dialogs: Cell::new(DIALOG_BYTES),
        }
    }

    /// Takes the bytes of a file.
    pub(super) fn bytes(&self, count: usize) -> Result<(), String> {
        take(&self.bytes, count, || {
            format!(
                "the files have more than {XML_ALL_BYTES} bytes, templates as often as they are named"
            )
        })
    }

    /// Takes elements and attributes.
    pub(super) fn nodes(&self, count: usize) -> Result<(), String> {
        take(&self.nodes, count, || {
            format!(
                "the files have more than {XML_ALL_NODES} elements and attributes, those of \
                 templates as often as they are named"
            )
        })
    }

    /// Takes the bytes of a dialog that is written as XML again.
    pub(super) fn dialog(&self, count: usize) -> Result<(), String> {
        take(&self.dialogs, count, || {
            format!("the dialogs have more than {DIALOG_BYTES} bytes when written as XML")
        })
    }

    /// Takes the reading of a template.
    pub(super) fn template(&self) -> Result<(), String> {
        take(&self.templates, 1, || {
            format!("templates are named more than {TEMPLATES} times")
        })
    }
}

fn take(left: &Cell<usize>, count: usize, refusal: impl Fn() -> String) -> Result<(), String> {
    left.set(left.get().checked_sub(count).ok_or_else(refusal)?);
    Ok(())
}
