//! The one place with `unsafe`: the functions of `libchdb`, loaded at run time, behind types that free what they own and
//! cannot be used after it. No policy lives here: which statements run, how and with what settings is decided above.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::NonNull;

use bytes::Bytes;

use super::failure::Failure;

/// `chdb_query_analysis_v1` of the library's header.
#[repr(C)]
struct RawAnalysis {
    struct_size: u32,
    statement_count: u32,
    flags: u32,
    query_class: u32,
}

/// Only ever seen behind a pointer that the library gave.
enum RawHandle {}
type ConnectionPtr = *mut RawHandle;
type ResultPtr = *mut RawHandle;
type InsertPtr = *mut RawHandle;

macro_rules! functions {
    ($($name:ident : fn($($arg:ty),*) $(-> $ret:ty)?;)*) => {
        /// The library's functions, by name.
        #[allow(non_snake_case)]
        struct Functions { $($name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)* }

        impl Functions {
            /// # Safety
            /// `library` must be a libchdb of the pinned version: the signatures are trusted.
            unsafe fn load(library: &libloading::Library) -> Result<Self, libloading::Error> {
                // SAFETY: the symbols have the signatures of the pinned version's header, as the caller promises.
                unsafe {
                    Ok(Self { $($name: *library.get(concat!(stringify!($name), "\0").as_bytes())?,)* })
                }
            }
        }
    };
}

functions! {
    chdb_set_signal_handlers_enabled: fn(c_int);
    chdb_connect: fn(c_int, *mut *mut c_char) -> *mut ConnectionPtr;
    chdb_close_conn: fn(*mut ConnectionPtr);
    chdb_query_with_params_n: fn(
        ConnectionPtr, *const c_char, usize, *const c_char, usize,
        *const *const c_char, *const usize, *const *const c_char, *const usize, usize) -> ResultPtr;
    chdb_stream_query_with_params_n: fn(
        ConnectionPtr, *const c_char, usize, *const c_char, usize,
        *const *const c_char, *const usize, *const *const c_char, *const usize, usize) -> ResultPtr;
    chdb_stream_fetch_result: fn(ConnectionPtr, ResultPtr) -> ResultPtr;
    chdb_stream_cancel_query: fn(ConnectionPtr, ResultPtr);
    chdb_destroy_query_result: fn(ResultPtr);
    chdb_stream_insert_with_params_n: fn(
        ConnectionPtr, *const c_char, usize, *const c_char, usize,
        *const *const c_char, *const usize, *const *const c_char, *const usize, usize) -> InsertPtr;
    chdb_stream_append: fn(InsertPtr, *const c_void, usize) -> c_int;
    chdb_stream_done: fn(InsertPtr) -> ResultPtr;
    chdb_stream_cancel_insert: fn(InsertPtr);
    chdb_stream_insert_error: fn(InsertPtr) -> *const c_char;
    chdb_destroy_insert_stream: fn(InsertPtr);
    chdb_result_buffer: fn(ResultPtr) -> *const u8;
    chdb_result_length: fn(ResultPtr) -> usize;
    chdb_result_error: fn(ResultPtr) -> *const c_char;
    chdb_result_storage_rows_read: fn(ResultPtr) -> u64;
    chdb_result_storage_bytes_read: fn(ResultPtr) -> u64;
    chdb_result_rows_written: fn(ResultPtr) -> u64;
    chdb_result_bytes_written: fn(ResultPtr) -> u64;
    chdb_result_rows_read: fn(ResultPtr) -> u64;
    chdb_classify_query_n: fn(ConnectionPtr, *const c_char, usize, *const c_char, usize, *mut RawAnalysis) -> c_int;
}

/// The loaded library. It is never unloaded: the engine's threads outlive every connection.
pub(crate) struct Library {
    functions: &'static Functions,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Library")
    }
}

impl Library {
    /// Loads the library at `path` and keeps it from taking over the process's signals.
    ///
    /// # Errors
    /// The loader's text, when the file is no library or lacks a function.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        // SAFETY: loading runs the library's initialisers, which those of the pinned version allow at any time; the
        // functions' signatures are those of its header.
        let functions = unsafe {
            let library = libloading::Library::new(path).map_err(|error| error.to_string())?;
            let functions = Functions::load(&library).map_err(|error| error.to_string())?;
            std::mem::forget(library);
            (functions.chdb_set_signal_handlers_enabled)(0);
            functions
        };
        Ok(Self {
            functions: Box::leak(Box::new(functions)),
        })
    }

    /// Opens a connection with the engine's command-line arguments; the first one starts the engine. `None`: refused,
    /// and the library says why only on standard error.
    pub(crate) fn connect(&self, arguments: &[String]) -> Option<Connection> {
        let mut owned: Vec<CString> = Vec::with_capacity(arguments.len() + 1);
        for argument in std::iter::once("chdb").chain(arguments.iter().map(String::as_str)) {
            owned.push(CString::new(argument).ok()?);
        }
        let mut pointers: Vec<*mut c_char> = owned
            .iter()
            .map(|argument| argument.as_ptr().cast_mut())
            .collect();
        let count = c_int::try_from(pointers.len()).ok()?;
        // SAFETY: `pointers` holds `count` NUL-terminated strings that live through the call.
        let slot = unsafe { (self.functions.chdb_connect)(count, pointers.as_mut_ptr()) };
        // SAFETY: a non-null result points to the connection's handle until it is closed.
        let handle = unsafe { slot.as_ref() }.copied()?;
        (!handle.is_null()).then_some(Connection {
            functions: self.functions,
            slot,
            handle,
        })
    }
}

/// Named parameters, as the pointers that the library takes.
struct Parameters<'a> {
    names: Vec<*const c_char>,
    name_lengths: Vec<usize>,
    values: Vec<*const c_char>,
    value_lengths: Vec<usize>,
    strings: PhantomData<&'a str>,
}

impl<'a> Parameters<'a> {
    fn new(pairs: &'a [(String, String)]) -> Self {
        Self {
            names: pairs.iter().map(|(name, _)| name.as_ptr().cast()).collect(),
            name_lengths: pairs.iter().map(|(name, _)| name.len()).collect(),
            values: pairs
                .iter()
                .map(|(_, value)| value.as_ptr().cast())
                .collect(),
            value_lengths: pairs.iter().map(|(_, value)| value.len()).collect(),
            strings: PhantomData,
        }
    }
}

/// One connection: one statement at a time, which `&mut self` makes sure of.
pub(crate) struct Connection {
    functions: &'static Functions,
    slot: *mut ConnectionPtr,
    handle: ConnectionPtr,
}

// SAFETY: the library ties a connection to no thread; it only asks that calls on one be serialised.
unsafe impl Send for Connection {}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: `slot` came from chdb_connect and is closed only here.
        unsafe { (self.functions.chdb_close_conn)(self.slot) }
    }
}

impl Connection {
    /// Runs a statement and waits for its whole result.
    pub(crate) fn query(
        &mut self,
        sql: &str,
        format: &str,
        parameters: &[(String, String)],
    ) -> Result<Answer, Failure> {
        let bound = Parameters::new(parameters);
        // SAFETY: every pointer comes with its length and lives through the call.
        let raw = unsafe {
            (self.functions.chdb_query_with_params_n)(
                self.handle,
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                bound.names.as_ptr(),
                bound.name_lengths.as_ptr(),
                bound.values.as_ptr(),
                bound.value_lengths.as_ptr(),
                parameters.len(),
            )
        };
        Answer::new(self.functions, raw)
    }

    /// Starts a statement whose result is fetched in pieces.
    pub(crate) fn stream(
        &mut self,
        sql: &str,
        format: &str,
        parameters: &[(String, String)],
    ) -> Result<Stream<'_>, Failure> {
        let bound = Parameters::new(parameters);
        // SAFETY: as in `query`.
        let raw = unsafe {
            (self.functions.chdb_stream_query_with_params_n)(
                self.handle,
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                bound.names.as_ptr(),
                bound.name_lengths.as_ptr(),
                bound.values.as_ptr(),
                bound.value_lengths.as_ptr(),
                parameters.len(),
            )
        };
        let head = Answer::new(self.functions, raw)?;
        Ok(Stream {
            connection: self,
            head,
            ended: false,
        })
    }

    /// Starts an INSERT whose data are appended in pieces; `sql` is without its FORMAT clause.
    pub(crate) fn insert(
        &mut self,
        sql: &str,
        format: &str,
        parameters: &[(String, String)],
    ) -> Result<Insert<'_>, Failure> {
        let bound = Parameters::new(parameters);
        // SAFETY: as in `query`.
        let raw = unsafe {
            (self.functions.chdb_stream_insert_with_params_n)(
                self.handle,
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                bound.names.as_ptr(),
                bound.name_lengths.as_ptr(),
                bound.values.as_ptr(),
                bound.value_lengths.as_ptr(),
                parameters.len(),
            )
        };
        let handle =
            NonNull::new(raw).ok_or_else(|| Failure::internal("no insert stream was made"))?;
        let insert = Insert {
            connection: self,
            handle,
            done: false,
        };
        match insert.error() {
            Some(failure) => Err(failure),
            None => Ok(insert),
        }
    }

    /// How many statements the text holds; 0 when it does not parse.
    pub(crate) fn statement_count(&mut self, sql: &str) -> u32 {
        let mut analysis = RawAnalysis {
            struct_size: size_of::<RawAnalysis>() as u32,
            statement_count: 0,
            flags: 0,
            query_class: 0,
        };
        // SAFETY: the struct says its own size; a null target database is allowed.
        unsafe {
            (self.functions.chdb_classify_query_n)(
                self.handle,
                sql.as_ptr().cast(),
                sql.len(),
                std::ptr::null(),
                0,
                &raw mut analysis,
            );
        }
        analysis.statement_count
    }
}

/// A result owned by the library, or one piece of a streamed one.
pub(crate) struct Answer {
    functions: &'static Functions,
    handle: NonNull<RawHandle>,
}

// SAFETY: a result is a plain buffer with counters, tied to no thread; nothing writes to it once it is returned.
unsafe impl Send for Answer {}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({} bytes)", self.data().len())
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: made by the library and destroyed only here.
        unsafe { (self.functions.chdb_destroy_query_result)(self.handle.as_ptr()) }
    }
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        self.data()
    }
}

impl Answer {
    fn new(functions: &'static Functions, raw: ResultPtr) -> Result<Self, Failure> {
        let handle = NonNull::new(raw).ok_or_else(|| Failure::internal("no result was made"))?;
        let answer = Self { functions, handle };
        // SAFETY: the handle is live; the text, if any, is NUL-terminated and lives as long as the result.
        let error = unsafe { text((functions.chdb_result_error)(raw)) };
        match error {
            Some(message) => Err(Failure::from_engine(&message)),
            None => Ok(answer),
        }
    }

    /// The bytes in the requested format.
    pub(crate) fn data(&self) -> &[u8] {
        // SAFETY: buffer and length describe one allocation that lives as long as the result and is not written to.
        unsafe {
            let length = (self.functions.chdb_result_length)(self.handle.as_ptr());
            let buffer = (self.functions.chdb_result_buffer)(self.handle.as_ptr());
            if buffer.is_null() || length == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(buffer, length)
            }
        }
    }

    /// The bytes without a copy; they keep the result alive.
    pub(crate) fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }

    /// What the statement read and wrote.
    pub(crate) fn counters(&self) -> Counters {
        let functions = self.functions;
        let handle = self.handle.as_ptr();
        // SAFETY: plain getters on a live result.
        unsafe {
            Counters {
                read_rows: (functions.chdb_result_storage_rows_read)(handle),
                read_bytes: (functions.chdb_result_storage_bytes_read)(handle),
                written_rows: (functions.chdb_result_rows_written)(handle),
                written_bytes: (functions.chdb_result_bytes_written)(handle),
                result_rows: (functions.chdb_result_rows_read)(handle),
            }
        }
    }
}

/// What a statement read and wrote, for `X-ClickHouse-Summary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) read_rows: u64,
    pub(crate) read_bytes: u64,
    pub(crate) written_rows: u64,
    pub(crate) written_bytes: u64,
    pub(crate) result_rows: u64,
}

/// A running SELECT.
#[derive(Debug)]
pub(crate) struct Stream<'c> {
    connection: &'c mut Connection,
    head: Answer,
    ended: bool,
}

impl Stream<'_> {
    /// The next piece; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Answer>, Failure> {
        if self.ended {
            return Ok(None);
        }
        let functions = self.connection.functions;
        // SAFETY: connection and head are live, and `&mut self` serialises the calls.
        let raw = unsafe {
            (functions.chdb_stream_fetch_result)(self.connection.handle, self.head.handle.as_ptr())
        };
        let piece = Answer::new(functions, raw).inspect_err(|_| self.ended = true)?;
        if piece.data().is_empty() {
            self.ended = true;
            return Ok(None);
        }
        Ok(Some(piece))
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // SAFETY: as in `next`; cancelling an unfinished stream is what the header asks for.
            unsafe {
                (self.connection.functions.chdb_stream_cancel_query)(
                    self.connection.handle,
                    self.head.handle.as_ptr(),
                );
            }
        }
    }
}

/// A running INSERT.
#[derive(Debug)]
pub(crate) struct Insert<'c> {
    connection: &'c mut Connection,
    handle: NonNull<RawHandle>,
    done: bool,
}

impl Insert<'_> {
    fn error(&self) -> Option<Failure> {
        // SAFETY: the handle is live; the text, if any, is NUL-terminated and copied at once.
        let message = unsafe {
            text((self.connection.functions.chdb_stream_insert_error)(
                self.handle.as_ptr(),
            ))
        };
        message.map(|message| Failure::from_engine(&message))
    }

    /// Hands over more data; blocks while the engine is behind.
    pub(crate) fn append(&mut self, data: &[u8]) -> Result<(), Failure> {
        if data.is_empty() {
            return Ok(());
        }
        // SAFETY: the library copies the bytes before it returns.
        let state = unsafe {
            (self.connection.functions.chdb_stream_append)(
                self.handle.as_ptr(),
                data.as_ptr().cast(),
                data.len(),
            )
        };
        if state == 0 {
            return Ok(());
        }
        Err(self
            .error()
            .unwrap_or_else(|| Failure::internal("the insert refused data without a reason")))
    }

    /// Ends the data and waits until the rows are written.
    pub(crate) fn finish(mut self) -> Result<Counters, Failure> {
        self.done = true;
        // SAFETY: called once, before the handle is destroyed.
        let raw = unsafe { (self.connection.functions.chdb_stream_done)(self.handle.as_ptr()) };
        Ok(Answer::new(self.connection.functions, raw)?.counters())
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is live until it is destroyed here.
        unsafe {
            if !self.done {
                (self.connection.functions.chdb_stream_cancel_insert)(self.handle.as_ptr());
            }
            (self.connection.functions.chdb_destroy_insert_stream)(self.handle.as_ptr());
        }
    }
}

/// # Safety
/// `pointer` is null or a NUL-terminated string that lives through the call.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    let text = unsafe { CStr::from_ptr(pointer) }.to_string_lossy();
    (!text.is_empty()).then(|| text.into_owned())
}
