//! Credential caches: the file of version 4 that every Kerberos program of the machine reads, and the single entries
//! that keyrings and the KCM daemon take.
//!
//! Layout, all big endian: `05 04`; a header of fields; the default principal; credentials until the end.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::binary::{FileError, Input, Output, Result, length, principal, text};
use crate::crypto::Key;
use crate::messages::{EncKdcRepPart, Ticket, TicketFlags};
use crate::{KerberosTime, NameType, Principal, PrincipalName, Realm};

const VERSION: [u8; 2] = [5, 4];
/// The one field that a header is known to have: the KDC's clock against ours.
const TIME_OFFSET: u16 = 1;
/// The realm of entries that are no tickets.
const CONFIGURATION_REALM: &str = "X-CACHECONF:";
const CONFIGURATION_NAME: &str = "krb5_ccache_conf_data";

/// A key in a cache, of whatever type.
#[derive(Clone, PartialEq, Eq)]
pub struct CachedKey {
    /// The number of its encryption type.
    pub etype: u16,
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for CachedKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "CachedKey(type {})", self.etype)
    }
}

impl From<&Key> for CachedKey {
    fn from(key: &Key) -> Self {
        let etype = u16::try_from(key.etype().number()).unwrap_or(0);
        Self { etype, bytes: Zeroizing::new(key.expose().to_vec()) }
    }
}

/// A ticket with what is needed to use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Whom it speaks of.
    pub client: Principal,
    /// For which service.
    pub server: Principal,
    /// The session key.
    pub key: CachedKey,
    /// When the client proved who it is.
    pub authtime: KerberosTime,
    /// When the ticket begins; 1970 for "then".
    pub starttime: KerberosTime,
    /// When it ends.
    pub endtime: KerberosTime,
    /// Until when it may be renewed; 1970 for never.
    pub renew_till: KerberosTime,
    /// Whether it is for user-to-user authentication.
    pub is_session_key: bool,
    /// What it may be used for.
    pub flags: TicketFlags,
    /// The ticket's DER.
    pub ticket: Vec<u8>,
}

impl Credential {
    /// A ticket as a KDC has just given it, with what its reply says of it.
    #[must_use]
    pub fn of_a_reply(
        client: Principal,
        server: Principal,
        part: &EncKdcRepPart,
        ticket: &Ticket,
    ) -> Self {
        Self {
            client,
            server,
            key: CachedKey::from(&part.key),
            authtime: part.authtime,
            starttime: part.starttime.unwrap_or_default(),
            endtime: part.endtime,
            renew_till: part.renew_till.unwrap_or_default(),
            is_session_key: false,
            flags: part.flags,
            ticket: ticket.der().to_vec(),
        }
    }

    /// An entry that is no ticket: a fact about the cache, or about a service in it (`pa_type`, `fast_avail`).
    #[must_use]
    pub fn configuration(
        client: &Principal,
        key: &str,
        about: Option<&Principal>,
        value: &[u8],
    ) -> Option<Self> {
        let mut components = alloc::vec![String::from(CONFIGURATION_NAME), String::from(key)];
        components.extend(about.map(|principal| alloc::format!("{principal}")));
        let name = PrincipalName { name_type: NameType::UNKNOWN, components };
        let zero = KerberosTime::from_unix(0);
        Some(Self {
            client: client.clone(),
            server: Principal { name, realm: Realm::new(CONFIGURATION_REALM)? },
            key: CachedKey { etype: 0, bytes: Zeroizing::new(Vec::new()) },
            authtime: zero,
            starttime: zero,
            endtime: zero,
            renew_till: zero,
            is_session_key: false,
            flags: TicketFlags(0),
            ticket: value.to_vec(),
        })
    }

    /// Whether it is no ticket.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        self.server.realm.as_str() == CONFIGURATION_REALM
    }

    /// Its bytes, as keyrings and the KCM daemon take them, too.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::new());
        write_principal(&self.client, &mut out);
        write_principal(&self.server, &mut out);
        out.half(self.key.etype);
        out.long_bytes(&self.key.bytes);
        for time in [self.authtime, self.starttime, self.endtime, self.renew_till] {
            out.word(write_time(time));
        }
        out.push(u8::from(self.is_session_key));
        out.word(self.flags.0);
        // No addresses, no authorization data.
        out.word(0);
        out.word(0);
        out.long_bytes(&self.ticket);
        out.long_bytes(&[]);
        out
    }

    fn read(input: &mut Input<'_>) -> Result<Self> {
        let (client, server) = (read_principal(input)?, read_principal(input)?);
        let etype = input.half()?;
        let key = CachedKey { etype, bytes: Zeroizing::new(input.long_bytes()?.to_vec()) };
        let mut time = || input.word().map(|seconds| KerberosTime::from_unix(i64::from(seconds)));
        let (authtime, starttime, endtime, renew_till) = (time()?, time()?, time()?, time()?);
        let is_session_key = input.byte()? != 0;
        let flags = TicketFlags(input.word()?);
        // Addresses, then authorization data: each with a type of two bytes.
        for _ in 0..2 {
            for _ in 0..input.word()? {
                input.half()?;
                input.long_bytes()?;
            }
        }
        let ticket = input.long_bytes()?.to_vec();
        input.long_bytes()?;
        Ok(Self {
            client,
            server,
            key,
            authtime,
            starttime,
            endtime,
            renew_till,
            is_session_key,
            flags,
            ticket,
        })
    }

    /// Reads one that is all there is.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut input = Input(bytes);
        let credential = Self::read(&mut input)?;
        if input.0.is_empty() { Ok(credential) } else { Err(FileError::Short) }
    }
}

/// A whole cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialCache {
    /// How far the KDC's clock is ahead of ours: seconds and microseconds.
    pub time_offset: Option<(i32, i32)>,
    /// Whose cache it is.
    pub principal: Principal,
    /// Tickets, and entries that are none.
    pub credentials: Vec<Credential>,
}

impl CredentialCache {
    /// Its bytes as a file.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(VERSION.to_vec());
        match self.time_offset {
            None => out.half(0),
            Some((seconds, micros)) => {
                // Tag 2 + length 2 + seconds 4 + microseconds 4.
                out.half(2 + 2 + 4 + 4);
                out.half(TIME_OFFSET);
                out.half(4 + 4);
                out.extend_from_slice(&seconds.to_be_bytes());
                out.extend_from_slice(&micros.to_be_bytes());
            }
        }
        write_principal(&self.principal, &mut out);
        for credential in &self.credentials {
            out.extend_from_slice(&credential.to_bytes());
        }
        out
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`]; files of version 1 to 3 are refused, nobody has written them for twenty years.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut input = Input(bytes);
        let version = [input.byte()?, input.byte()?];
        if version != VERSION {
            return Err(FileError::Version { got: version });
        }
        let mut header = Input(input.short_bytes()?);
        let mut time_offset = None;
        while !header.0.is_empty() {
            let (tag, field) = (header.half()?, header.short_bytes()?);
            if let (TIME_OFFSET, Some((seconds, micros))) = (tag, field.split_first_chunk::<4>()) {
                let micros = micros.first_chunk::<4>().ok_or(FileError::Short)?;
                time_offset = Some((i32::from_be_bytes(*seconds), i32::from_be_bytes(*micros)));
            }
        }
        let principal = read_principal(&mut input)?;
        let mut credentials = Vec::new();
        while !input.0.is_empty() {
            credentials.push(Credential::read(&mut input)?);
        }
        Ok(Self { time_offset, principal, credentials })
    }
}

/// The bytes of a principal, as keyrings and the KCM daemon take them, too.
#[must_use]
pub fn principal_bytes(principal: &Principal) -> Vec<u8> {
    let mut out = Vec::new();
    write_principal(principal, &mut out);
    out
}

fn write_principal(principal: &Principal, out: &mut Vec<u8>) {
    out.extend_from_slice(&principal.name.name_type.0.to_be_bytes());
    out.word(length(principal.name.components.len()));
    out.long_bytes(principal.realm.as_str().as_bytes());
    for component in &principal.name.components {
        out.long_bytes(component.as_bytes());
    }
}

fn read_principal(input: &mut Input<'_>) -> Result<Principal> {
    let (name_type, count) = (input.word()?, input.word()?);
    let realm = input.long_bytes()?;
    principal(name_type, realm, count, || text(input.long_bytes()?))
}

/// Files keep 32 bits without a sign: until 2106.
fn write_time(time: KerberosTime) -> u32 {
    u32::try_from(time.unix().max(0)).unwrap_or(u32::MAX)
}
