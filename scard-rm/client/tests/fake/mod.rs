//! A daemon made of a script: a thread that accepts one connection after the other and plays its part.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use scard_client::Endpoint;

/// A socket in a folder of its own, and the thread that serves it.
pub(crate) struct Fake {
    folder: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Plays `script` on one connection after the other, as long as it says so.
    pub(crate) fn serve(mut script: impl FnMut(UnixStream) -> bool + Send + 'static) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("scard-client-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let listener = UnixListener::bind(folder.join("socket")).unwrap();
        let thread = thread::spawn(move || while script(listener.accept().unwrap().0) {});
        Self { folder, thread: Some(thread) }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::at(self.folder.join("socket"))
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let played = self.thread.take().unwrap().join();
        let _ = std::fs::remove_dir_all(&self.folder);
        if !thread::panicking() {
            played.unwrap();
        }
    }
}
