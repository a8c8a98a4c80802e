//! A node's directory: database, watermark file and the lock that keeps a second process out.

use std::{any::Any, path::Path, sync::Arc};

use crate::{
    backend::Backend,
    error::OpenError,
    lock::{DirectoryLock, DiskSlots, sync_names},
    rocks::{Rocks, RocksOptions},
    watermark::SlotFile,
};

/// An open, locked directory, not yet checked. [`crate::Store::open`] or [`crate::Store::create`] takes it.
pub struct Directory {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) slots: Box<dyn SlotFile>,
    pub(crate) lock: Box<dyn Any + Send + Sync>,
}

impl Directory {
    /// Puts a directory together; `lock` is dropped, and so released, last.
    #[must_use]
    pub fn new(
        backend: Arc<dyn Backend>,
        slots: Box<dyn SlotFile>,
        lock: Box<dyn Any + Send + Sync>,
    ) -> Self {
        Self { backend, slots, lock }
    }

    /// The database.
    #[must_use]
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// Opens the directory at `path` on RocksDB, creating it if need be.
    ///
    /// # Errors
    /// [`OpenError::Locked`], [`OpenError::Io`] or [`OpenError::Backend`].
    pub fn on_disk(path: &Path, options: &RocksOptions) -> Result<Self, OpenError> {
        let lock = DirectoryLock::take(path)?;
        let slots = DiskSlots::open(path)?;
        let rocks = Rocks::open(&path.join("db"), options)?;
        // Without this a power cut could take a new directory's name away, with all that is synced in it.
        sync_names(path)?;
        Ok(Self::new(Arc::new(rocks), Box::new(slots), Box::new(lock)))
    }
}
