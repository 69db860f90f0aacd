//! Who is measured: which library on which daemon.

use clients::daemon::Service;
use clients::stage::{Library, Manager, Stage};

use crate::process::descendants;

/// A library on a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Our library on our daemon.
    Ours,
    /// The library of the distribution on our daemon.
    Stock,
    /// The library of the distribution on its pcscd, with vpcd and our card behind it.
    Pcscd,
}

impl Side {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Stock => "stock library, our daemon",
            Self::Pcscd => "stock library, pcscd + vpcd",
        }
    }

    /// The same in the word of the tests.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::Ours => Stage { library: Library::Ours, manager: Manager::Ours },
            Self::Stock => Stage { library: Library::Stock, manager: Manager::Ours },
            Self::Pcscd => Stage { library: Library::Stock, manager: Manager::DebianPcscd },
        }
    }
}

/// The daemons of a measurement.
pub struct Sides {
    /// Ours.
    pub ours: Service,
    /// Debian's, where it can be run.
    pub pcscd: Option<Service>,
}

impl Sides {
    /// Starts them, with a card in the first of two readers each.
    #[must_use]
    pub fn with_card(name: &str, card: &str, pcscd: bool) -> Self {
        let start = |manager, suffix| {
            let mut service = Service::start(manager, &format!("{name}-{suffix}"), card);
            service.insert(0);
            service
        };
        Self {
            ours: start(Manager::Ours, "ours"),
            pcscd: pcscd.then(|| start(Manager::DebianPcscd, "pcscd")),
        }
    }

    /// Those that are there.
    pub fn all(&self) -> impl Iterator<Item = (Side, &Service)> {
        let ours = [(Side::Ours, &self.ours), (Side::Stock, &self.ours)];
        ours.into_iter().chain(self.pcscd.as_ref().map(|pcscd| (Side::Pcscd, pcscd)))
    }
}

/// All processes that serve there.
#[must_use]
pub fn servers(service: &Service) -> Vec<u32> {
    let first = service.processes();
    let further: Vec<u32> = first.iter().flat_map(|pid| descendants(*pid)).collect();
    [first, further].concat()
}
