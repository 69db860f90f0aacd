//! A resource manager on the bench: clients, readers and cards at the test's command.

use std::collections::BTreeMap;

use scard_core::{
    Action, Change, ClientId, Core, Event, JobId, Limits, Push, ReaderId, RequestId, StoreTicket,
    Wire, Work, WorkDone,
};
use scard_types::call::{Answer, Call, CardHandle, ContextId, Peer, Reply};
use scard_types::{
    Atr, CardEvent, Character, DeviceInstance, Disposition, Millis, Protocols, ReaderName,
    ReaderNaming, ScardCode, ShareMode, SlotError,
};

/// A card that offers T=1 only.
pub(crate) const T1_CARD: &[u8] = &[0x3B, 0x80, 0x01, 0x81];
/// A card that offers T=0 first and T=1 second.
pub(crate) const BOTH_CARD: &[u8] = &[0x3B, 0x80, 0x80, 0x01, 0x01];
/// A card without TD1: T=0.
pub(crate) const T0_CARD: &[u8] = &[0x3B, 0x00];

/// The bench.
pub(crate) struct Bench {
    pub(crate) core: Core,
    pub(crate) now: u64,
    /// Answers that nobody has asked the bench for yet.
    pub(crate) replies: BTreeMap<(u64, u32), Reply>,
    pub(crate) pushes: Vec<(u64, Push)>,
    /// Work that the slots have and the bench did not do by itself.
    pub(crate) work: BTreeMap<u64, (JobId, Work)>,
    pub(crate) drops: Vec<u64>,
    /// Changes on their way to the disk.
    pub(crate) stores: Vec<(StoreTicket, Vec<Change>)>,
    /// What was done by the slots, in order.
    pub(crate) log: Vec<(u64, String)>,
    /// What was said for the log alone.
    pub(crate) notices: Vec<Action>,
    /// Whether the slots do at once what they are told.
    pub(crate) quick: bool,
    /// The cards' answers to reset.
    pub(crate) atrs: BTreeMap<u64, Vec<u8>>,
    next_request: u32,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self {
            core: Core::new(limits, 1),
            now: 0,
            replies: BTreeMap::new(),
            pushes: Vec::new(),
            work: BTreeMap::new(),
            drops: Vec::new(),
            stores: Vec::new(),
            log: Vec::new(),
            notices: Vec::new(),
            quick: true,
            atrs: BTreeMap::new(),
            next_request: 1,
        }
    }

    pub(crate) fn feed(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.core.handle(Millis(self.now), event, &mut actions);
        for action in actions {
            match action {
                Action::Reply { client, request, reply } => {
                    let old = self.replies.insert((client.0, request.0), reply);
                    assert!(old.is_none(), "{client:?} was answered twice");
                }
                Action::Push { client, push } => self.pushes.push((client.0, push)),
                Action::Work { reader, job, work } => {
                    self.log.push((reader.0, describe(&work)));
                    let old = self.work.insert(reader.0, (job, work));
                    assert!(old.is_none(), "{reader:?} has work already");
                }
                Action::Store { ticket, changes } => self.stores.push((ticket, changes)),
                Action::Drop { client, .. } => self.drops.push(client.0),
                notice
                @ (Action::SharingViolation { .. } | Action::IdleTransactionEnded { .. }) => {
                    self.notices.push(notice);
                }
                _ => {}
            }
        }
        if self.quick {
            self.do_all_work();
        }
    }

    pub(crate) fn do_all_work(&mut self) {
        while let Some((&reader, _)) = self.work.iter().next() {
            self.do_work(reader);
        }
    }

    /// Lets a slot finish what it has, well.
    pub(crate) fn do_work(&mut self, reader: u64) {
        let done = match &self.work.get(&reader).expect("the slot has work").1 {
            Work::PowerOn | Work::WarmReset => {
                let atr = self.atrs.get(&reader).map_or(BOTH_CARD, Vec::as_slice);
                WorkDone::Powered(Ok(Atr::new(atr).unwrap()))
            }
            Work::PowerOff | Work::SetProtocol(_) | Work::SetAttribute { .. } | Work::Eject => {
                WorkDone::Done(Ok(()))
            }
            _ => WorkDone::Bytes(Ok(vec![0x90, 0x00].into())),
        };
        self.finish(reader, done);
    }

    /// Lets a slot finish what it has, with this result.
    pub(crate) fn finish(&mut self, reader: u64, done: WorkDone) {
        let (job, _) = self.work.remove(&reader).expect("the slot has work");
        self.feed(Event::WorkDone { reader: ReaderId(reader), job, done });
    }

    pub(crate) fn fail(&mut self, reader: u64, error: SlotError) {
        let done = match &self.work.get(&reader).expect("the slot has work").1 {
            Work::PowerOn | Work::WarmReset => WorkDone::Powered(Err(error)),
            Work::PowerOff | Work::SetProtocol(_) | Work::SetAttribute { .. } | Work::Eject => {
                WorkDone::Done(Err(error))
            }
            _ => WorkDone::Bytes(Err(error)),
        };
        self.finish(reader, done);
    }

    /// Lets time pass, stopping at each deadline.
    pub(crate) fn pass(&mut self, span: u64) {
        let end = self.now + span;
        while let Some(at) = self.core.deadline().filter(|at| at.0 <= end) {
            self.now = at.0;
            self.feed(Event::Tick);
        }
        self.now = end;
    }

    pub(crate) fn client(&mut self, client: u64, uid: u32, wire: Wire) {
        let peer = Peer { uid, gid: uid, pid: u32::try_from(client).unwrap() };
        self.feed(Event::ClientConnected { client: ClientId(client), peer, wire });
    }

    pub(crate) fn gone(&mut self, client: u64) {
        self.feed(Event::ClientGone { client: ClientId(client) });
    }

    pub(crate) fn reader(&mut self, reader: u64, name: &str) {
        self.device(reader, name, &format!("device of {name}"));
    }

    /// A reader that belongs to a certain device.
    pub(crate) fn device(&mut self, reader: u64, name: &str, id: &str) {
        let naming = ReaderNaming::Verbatim(ReaderName::new(name).unwrap());
        let device = DeviceInstance { id: id.into(), slot: 0, device_type: DeviceInstance::VENDOR };
        let (reader, driver) = (ReaderId(reader), "sim".into());
        self.feed(Event::ReaderArrived { reader, naming, driver, device });
    }

    pub(crate) fn unplug(&mut self, reader: u64) {
        self.work.remove(&reader);
        self.feed(Event::ReaderGone { reader: ReaderId(reader) });
    }

    pub(crate) fn card(&mut self, reader: u64, event: CardEvent) {
        self.feed(Event::Card { reader: ReaderId(reader), event });
    }

    /// The disk is done with all changes, well or not.
    pub(crate) fn keep(&mut self, kept: bool) {
        for (ticket, _) in core::mem::take(&mut self.stores) {
            self.feed(Event::Stored { ticket, kept });
        }
    }

    /// Asks and leaves the answer, if there is one, for [`Bench::answer`].
    pub(crate) fn ask(&mut self, client: u64, call: Call) -> u32 {
        let request = self.next_request;
        self.next_request += 1;
        let event = Event::Request { client: ClientId(client), request: RequestId(request), call };
        self.feed(event);
        request
    }

    pub(crate) fn answer(&mut self, client: u64, request: u32) -> Option<Reply> {
        self.replies.remove(&(client, request))
    }

    /// Asks and takes the answer.
    pub(crate) fn call(&mut self, client: u64, call: Call) -> Reply {
        let text = format!("{call:?}");
        let request = self.ask(client, call);
        self.answer(client, request).unwrap_or_else(|| panic!("no answer to {text}"))
    }

    pub(crate) fn code(&mut self, client: u64, call: Call) -> Result<(), ScardCode> {
        self.call(client, call).map(|_| ()).map_err(|refusal| refusal.code)
    }

    pub(crate) fn context(&mut self, client: u64) -> ContextId {
        self.context_of(client, Character::PcscLite)
    }

    pub(crate) fn context_of(&mut self, client: u64, character: Character) -> ContextId {
        match self.call(client, Call::EstablishContext { scope: 2, character }) {
            Ok(Answer::Context(context)) => context,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn connect(&mut self, client: u64, context: ContextId, reader: &str) -> CardHandle {
        match self.call(client, connect(context, reader, ShareMode::Shared)) {
            Ok(Answer::Connected { card, .. }) => card,
            other => panic!("{other:?}"),
        }
    }

    /// A client of the native wire with a context and a shared handle.
    pub(crate) fn guest(&mut self, client: u64, reader: &str) -> (ContextId, CardHandle) {
        self.client(client, 1_000, Wire::Native);
        let context = self.context(client);
        (context, self.connect(client, context, reader))
    }

    /// The reader table, as somebody sees it who has just come and leaves at once.
    pub(crate) fn table(&mut self) -> Reply {
        self.client(999, 0, Wire::Native);
        let reply = self.call(999, Call::ReaderTable { most: None });
        self.gone(999);
        reply
    }

    pub(crate) fn log_of(&self, reader: u64) -> Vec<&str> {
        self.log.iter().filter(|(r, _)| *r == reader).map(|(_, text)| text.as_str()).collect()
    }
}

pub(crate) fn describe(work: &Work) -> String {
    match work {
        Work::PowerOn => "power on".into(),
        Work::WarmReset => "reset".into(),
        Work::PowerOff => "power off".into(),
        Work::SetProtocol(protocol) => format!("set {protocol}"),
        Work::Transmit { protocol, .. } => format!("transmit {protocol}"),
        Work::Control { code, .. } => format!("control {code:#x}"),
        Work::GetAttribute { tag } => format!("get {tag:#x}"),
        Work::SetAttribute { tag, .. } => format!("set {tag:#x}"),
        Work::Eject => "eject".into(),
        _ => "?".into(),
    }
}

pub(crate) fn connect(context: ContextId, reader: &str, share: ShareMode) -> Call {
    Call::Connect { context, reader: reader.into(), share, protocols: Protocols::ANY }
}

pub(crate) fn begin(card: CardHandle) -> Call {
    Call::BeginTransaction { card }
}

pub(crate) fn end(card: CardHandle, disposition: Disposition) -> Call {
    Call::EndTransaction { card, disposition }
}

pub(crate) fn disconnect(card: CardHandle, disposition: Disposition) -> Call {
    Call::Disconnect { card, disposition }
}

pub(crate) fn reconnect(card: CardHandle, initialization: Disposition) -> Call {
    let (share, protocols) = (ShareMode::Shared, Protocols::ANY);
    Call::Reconnect { card, share, protocols, initialization }
}

pub(crate) fn transmit(card: CardHandle) -> Call {
    let command = vec![0x00, 0x84, 0x00, 0x00, 0x08].into();
    Call::Transmit { card, protocol: None, command, receive_limit: 258 }
}
