//! The backend on RocksDB. The only file that names it.
//!
//! # Why these options
//! - **One write-ahead log, always on, for all families**, so that what survives a crash is a prefix of
//!   the writes. `PointInTime` recovery cuts an ordinary torn tail; that it would also cut acknowledged
//!   records behind damage in the middle is what the watermark notices (F7).
//! - **No `atomic_flush`.** It is for running without the log. With the log on, each family replays what
//!   it has not flushed; RocksDB syncs a closed log before it installs a flush that rests on it, and
//!   refuses to open if a family were ahead of the recovered log. Left off, families flush when
//!   *they* are full, and writes can be pipelined: a Raft entry's log write need not wait until a block's
//!   rows are in the memtable.
//! - **Checksums everywhere** (S2): paranoid checks, verified table files, tracked logs, per-key
//!   protection of memtable and blocks. Measured cost is small beside memtable inserts.
//! - **No** mmap, no log recycling, no range deletes: each has lost data somewhere.
//! - Sizes fit a server with 512 MiB for the process: 64 MiB block cache, at most 64 MiB of memtables.

mod held;

use std::{ops::ControlFlow, path::Path, sync::Arc};

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, BottommostLevelCompaction, Cache, ChecksumType,
    ColumnFamily, CompactOptions, DB, DBCompressionType, DBRecoveryMode, Error, ErrorKind, Options,
    ReadOptions, WriteBatch, WriteOptions,
};

use crate::{
    backend::{Backend, BackendError, Family, Frozen, Scan, Visit, WriteSet},
    error::OpenError,
};

/// Sizes that a deployment may want to change.
#[derive(Clone, Copy, Debug)]
pub struct RocksOptions {
    /// Bytes of cached blocks.
    pub block_cache: usize,
    /// Bytes of memtables over all families before some are flushed.
    pub write_buffers: usize,
    /// Files held open.
    pub open_files: i32,
    /// Threads for flushes and compactions.
    pub background_jobs: i32,
}

impl Default for RocksOptions {
    fn default() -> Self {
        Self { block_cache: 64 << 20, write_buffers: 64 << 20, open_files: 512, background_jobs: 2 }
    }
}

/// An open RocksDB.
pub struct Rocks {
    db: Arc<DB>,
    write: WriteOptions,
}

impl Rocks {
    /// Opens or creates the database in `path`.
    ///
    /// # Errors
    /// [`OpenError::Io`] or [`OpenError::Backend`] with RocksDB's own words.
    pub fn open(path: &Path, sizes: &RocksOptions) -> Result<Self, OpenError> {
        // A full or failing disk is no damage: nothing has to be given up for it.
        let refused = |error: Error| match error.kind() {
            ErrorKind::IOError => {
                OpenError::Io { path: path.display().to_string(), why: error.into_string() }
            }
            _ => OpenError::Backend(error.into_string()),
        };
        let cache = Cache::new_lru_cache(sizes.block_cache);
        let options = database_options(sizes).map_err(refused)?;
        let mut families = Vec::new();
        for family in Family::ALL {
            families.push((family.name(), family_options(family, &cache).map_err(refused)?));
        }
        let db = DB::open_cf_with_opts(&options, path, families).map_err(refused)?;
        let mut write = WriteOptions::default();
        write.set_sync(false);
        Ok(Self { db: Arc::new(db), write })
    }

    fn family(&self, family: Family) -> &ColumnFamily {
        self.db.cf_handle(family.name()).expect("every family is opened with the database")
    }
}

fn database_options(sizes: &RocksOptions) -> Result<Options, Error> {
    // Three options that the binding has no setters for.
    let mut options = Options::default().get_options_from_string(
        "track_and_verify_wals=true;verify_sst_unique_id_in_manifest=true;avoid_unnecessary_blocking_io=true",
    )?;
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_track_and_verify_wals_in_manifest(true);
    options.set_manual_wal_flush(false);
    options.set_recycle_log_file_num(0);
    options.set_allow_mmap_reads(false);
    options.set_allow_mmap_writes(false);
    options.set_atomic_flush(false);
    options.set_enable_pipelined_write(true);
    options.set_max_open_files(sizes.open_files);
    options.set_max_background_jobs(sizes.background_jobs);
    options.set_db_write_buffer_size(sizes.write_buffers);
    options.set_max_total_wal_size(4 * sizes.write_buffers as u64);
    // Spread background writes out, so that no sync has to push a flushed file's megabytes.
    options.set_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 << 20);
    options.set_stats_dump_period_sec(0);
    options.set_stats_persist_period_sec(0);
    Ok(options)
}

fn family_options(family: Family, cache: &Cache) -> Result<Options, Error> {
    let mut options = Options::default().get_options_from_string(
        "paranoid_file_checks=true;force_consistency_checks=true;\
         memtable_protection_bytes_per_key=8;block_protection_bytes_per_key=8",
    )?;
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_format_version(6);
    table.set_checksum_type(ChecksumType::XXH3);
    // Indexes and filters in parts of a few KiB: one that grows with its file does not fit a shard of the cache,
    // and would be read and checked anew for every lookup.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_partition_filters(true);
    table.set_metadata_block_size(4 << 10);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    table.set_pin_top_level_index_and_filter(true);
    table.set_optimize_filters_for_memory(true);
    // What was just written is small and soon rewritten: compressed when it moves down.
    options.set_compression_per_level(&[DBCompressionType::None, DBCompressionType::Lz4]);
    options.set_max_write_buffer_number(3);
    options.set_level_compaction_dynamic_level_bytes(true);
    match family {
        Family::State => {
            // Most lookups of ids and references find nothing, and should not search to learn it.
            table.set_bloom_filter(10.0, false);
            options.set_memtable_prefix_bloom_ratio(0.1);
            options.set_memtable_whole_key_filtering(true);
            options.set_write_buffer_size(32 << 20);
        }
        // Large values, mostly of signatures and hashes, which hardly shrink; only ever appended, so that files
        // move down as they are.
        Family::Log | Family::Entries => {
            options.set_compression_per_level(&[DBCompressionType::None]);
            table.set_block_size(32 << 10);
            options.set_write_buffer_size(16 << 20);
        }
        _ => options.set_write_buffer_size(8 << 20),
    }
    options.set_block_based_table_factory(&table);
    Ok(options)
}

fn failed(error: Error) -> BackendError {
    match error.kind() {
        ErrorKind::Corruption => BackendError::Damaged(error.into_string()),
        _ => BackendError::Io(error.into_string()),
    }
}

impl Backend for Rocks {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        self.db.get_cf(self.family(family), key).map_err(failed)
    }

    fn multi_get(
        &self,
        family: Family,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<Vec<u8>>>, BackendError> {
        let sorted = keys.is_sorted();
        let found = self.db.batched_multi_get_cf(self.family(family), keys, sorted);
        found.into_iter().map(|v| Ok(v.map_err(failed)?.map(|v| v.to_vec()))).collect()
    }

    fn scan(&self, scan: Scan<'_>, visit: Visit<'_>) -> Result<(), BackendError> {
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(scan.from);
        if let Some(until) = scan.until {
            options.set_iterate_upper_bound(until);
        }
        let mut cursor = self.db.raw_iterator_cf_opt(self.family(scan.family), options);
        if scan.reverse {
            cursor.seek_to_last();
        } else {
            cursor.seek_to_first();
        }
        while let Some((key, value)) = cursor.item() {
            if let ControlFlow::Break(()) = visit(key, value) {
                return Ok(());
            }
            if scan.reverse {
                cursor.prev();
            } else {
                cursor.next();
            }
        }
        cursor.status().map_err(failed)
    }

    fn write(&self, set: WriteSet) -> Result<(), BackendError> {
        let handles = Family::ALL.map(|family| self.family(family));
        let mut batch = WriteBatch::default();
        for change in set.changes() {
            let handle = handles[change.family as usize];
            match &change.value {
                Some(value) => batch.put_cf(handle, &change.key, value),
                None => batch.delete_cf(handle, &change.key),
            }
        }
        self.db.write_opt(batch, &self.write).map_err(failed)
    }

    fn sync(&self) -> Result<(), BackendError> {
        self.db.flush_wal(true).map_err(failed)
    }

    /// Flushes every family, which ends the write-ahead logs that hold the bytes, and has the table files around
    /// the key written anew without it.
    fn scrub(&self, family: Family, key: &[u8]) -> Result<(), BackendError> {
        for family in Family::ALL {
            self.db.flush_cf(self.family(family)).map_err(failed)?;
        }
        let mut options = CompactOptions::default();
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        self.db.compact_range_cf_opt(self.family(family), Some(key), Some(key), &options);
        Ok(())
    }

    fn freeze(&self, family: Family) -> Result<Box<dyn Frozen>, BackendError> {
        Ok(Box::new(held::Held::new(&self.db, family)?))
    }

    fn bytes(&self) -> u64 {
        let of = |family| {
            let name = "rocksdb.total-sst-files-size";
            self.db.property_int_value_cf(self.family(family), name).ok().flatten().unwrap_or(0)
        };
        Family::ALL.into_iter().map(of).sum()
    }
}
