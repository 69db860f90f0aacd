//! The driver: the ports that were ordered, and those of a later order.
//!
//! It knows one driver command, text in and text out: `readers`, then a [`PortSpec`] on each further line, has exactly
//! these ports from now on. Those that were there before stay as they are, with their cards. The answer begins with
//! `error: ` if something is wrong.

use std::io;

use reader_api::{Announcement, DriverCommand, DriverFuture, NewReader, ReaderDriver};
use scard_types::{DeviceInstance, ReaderNaming};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{Instrument, info, info_span};

use crate::address::Address;
use crate::listener::{Bound, ListenError};
use crate::port::Port;
use crate::slot::{VpcdEvents, VpcdSlot};
use crate::spec::{PortSpec, SpecError};

/// What readers are called without a name of their own: as stock vpcd's are.
const MODEL: &str = "Virtual PCD";
/// How many events may lie between a port and the resource manager before cards have to wait.
const EVENTS: usize = 16;

/// Readers for cards that connect.
#[derive(Default)]
pub struct VpcdDriver {
    bound: Vec<(PortSpec, Bound)>,
    served: Vec<Served>,
}

/// A port at work; dropping it ends it.
struct Served {
    spec: PortSpec,
    address: Address,
    task: JoinHandle<()>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl VpcdDriver {
    /// A driver without ports; add some.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens at a port. Cards that connect wait until the driver runs.
    ///
    /// # Errors
    /// [`ListenError`].
    pub fn add(&mut self, spec: &PortSpec) -> Result<(), ListenError> {
        let bound = Bound::at(&spec.address)?;
        self.bound.push((spec.clone(), bound));
        Ok(())
    }

    async fn announce_new(&mut self, announce: &mpsc::Sender<Announcement>) -> io::Result<()> {
        for (spec, bound) in std::mem::take(&mut self.bound) {
            let (served, reader) = serve(spec, bound)?;
            self.served.push(served);
            // Nobody listens any more: then nobody waits for the rest either.
            let _ = announce.send(Announcement::Reader(reader)).await;
        }
        Ok(())
    }

    /// Carries out a command, but for the announcements.
    async fn obey(&mut self, command: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(command).map_err(|_| "a command is UTF-8 text")?;
        let mut lines = text.lines();
        if lines.next() != Some("readers") {
            return Err("the command is: readers, and an order on each further line".to_owned());
        }
        let wanted: Result<Vec<PortSpec>, SpecError> = lines.map(str::parse).collect();
        self.reorder(wanted.map_err(|error| error.to_string())?).await
    }

    /// A port that cannot be had does not keep the others from being served.
    async fn reorder(&mut self, mut wanted: Vec<PortSpec>) -> Result<(), String> {
        for mut old in std::mem::take(&mut self.served) {
            match wanted.iter().position(|spec| *spec == old.spec) {
                Some(at) if !old.task.is_finished() => {
                    wanted.remove(at);
                    self.served.push(old);
                }
                // Its address is free only when it has come to its end.
                _ => {
                    old.task.abort();
                    let _ = (&mut old.task).await;
                }
            }
        }
        let failed = wanted.iter().filter_map(|spec| self.add(spec).err());
        let errors: Vec<String> = failed.map(|error| error.to_string()).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }
}

fn serve(spec: PortSpec, bound: Bound) -> io::Result<(Served, NewReader)> {
    let address = bound.address()?;
    let first = bound.first();
    let occupied = first.is_some();
    let (slot, orders) = mpsc::channel(1);
    let (events, heard) = mpsc::channel(EVENTS);
    let answer_within = spec.answer_within;
    let port = Port { listener: bound.serve()?, first, orders, events, answer_within };
    info!(%address, "a port waits for its card");
    let span = info_span!("port", %address);
    let task = tokio::spawn(port.run().instrument(span));
    let naming = match &spec.name {
        Some(name) => ReaderNaming::Verbatim(name.clone()),
        None => ReaderNaming::Indexed { base: MODEL.to_owned(), slot: 0 },
    };
    let (slot, events) = (Box::new(VpcdSlot(slot)), Box::new(VpcdEvents(heard)));
    let device = DeviceInstance {
        id: format!("vpcd:{address}"),
        slot: 0,
        device_type: DeviceInstance::VENDOR,
    };
    let reader = NewReader { naming, device, occupied, slot, events };
    Ok((Served { spec, address, task }, reader))
}

impl ReaderDriver for VpcdDriver {
    fn name(&self) -> &'static str {
        "vpcd"
    }

    fn run(
        mut self: Box<Self>,
        announce: mpsc::Sender<Announcement>,
        mut commands: mpsc::Receiver<DriverCommand>,
    ) -> DriverFuture<'static, ()> {
        Box::pin(async move {
            if let Err(error) = self.announce_new(&announce).await {
                tracing::error!(%error, "a port cannot be served");
            }
            let _ = announce.send(Announcement::Settled).await;
            while let Some(DriverCommand { command, answer }) = commands.recv().await {
                let obeyed = self.obey(&command).await;
                let announced = self.announce_new(&announce).await;
                let outcome = obeyed.and(announced.map_err(|error| error.to_string()));
                let addresses: Vec<String> =
                    self.served.iter().map(|port| port.address.to_string()).collect();
                let text = match outcome {
                    Ok(()) => format!("ports: {}", addresses.join(", ")),
                    Err(error) => format!("error: {error}"),
                };
                let _ = answer.send(text.into_bytes());
            }
            // No more commands will come; the ports stay until the driver is dropped.
            std::future::pending::<()>().await;
        })
    }
}
