//! The TGS exchange, RFC 4120, 3.3: a ticket for a service, and the proof by a ticket for this host.
//!
//! Whoever answers an AS-REQ may be anybody with a certificate that we believe. A ticket for `host/...` that opens with
//! the host's own key comes from somebody who has that key: the realm's KDC, and nobody else on the wire.

use krb5_words::ccache::Credential;
use krb5_words::crypto::{EncryptionType, Key, KeyUsage};
use krb5_words::der::DerError;
use krb5_words::keytab::KeytabEntry;
use krb5_words::messages::{
    ApReq, Authenticator, Checksum, EncKdcRepPart, EncTicketPart, EncryptedData, Exchange,
    KdcOptions, KdcRep, KdcReq, KdcReqBody, KrbError, PaData, PaType, Ticket,
};
use krb5_words::{KerberosTime, Principal};

use crate::error::{Field, Part, PkinitError};
use crate::machine::{Moment, refused};

/// A request for a ticket, and what the reply is held to.
pub struct TgsRequest {
    request: Vec<u8>,
    client: Principal,
    service: Principal,
    etypes: Vec<EncryptionType>,
    nonce: u32,
    till: KerberosTime,
    /// The reply is encrypted with it, so that a session key that leaks later opens nothing.
    subkey: Key,
}

impl TgsRequest {
    /// Asks for a ticket for a service of the realm of the ticket at hand, for as long as that lasts.
    ///
    /// `clock_offset` is the KDC's clock less ours, as the AS exchange found it.
    ///
    /// # Errors
    /// [`PkinitError::Etype`], [`PkinitError::Encoding`]: the ticket at hand is none that we can use.
    pub fn new(
        ticket: &Credential,
        service: Principal,
        etypes: &[EncryptionType],
        clock_offset: i64,
        moment: &Moment,
    ) -> Result<Self, PkinitError> {
        let session = session_key(ticket)?;
        let (nonce, rest) = moment.random.split_first_chunk::<4>().ok_or(PkinitError::Random)?;
        let (confounder, rest) = rest.split_first_chunk::<16>().ok_or(PkinitError::Random)?;
        let subkey = rest.get(..session.etype().key_bytes()).ok_or(PkinitError::Random)?;
        let subkey = Key::new(session.etype(), subkey).map_err(|_| PkinitError::Random)?;
        let nonce = u32::from_be_bytes(*nonce) & 0x7FFF_FFFF;
        let body = KdcReqBody {
            options: KdcOptions::default(),
            cname: None,
            realm: service.realm.clone(),
            sname: Some(service.name.clone()),
            from: None,
            till: ticket.endtime,
            renew_till: None,
            nonce,
            etypes: etypes.iter().copied().map(EncryptionType::number).collect(),
            authorization_data: None,
        }
        .to_der();
        let authenticator = Authenticator {
            crealm: ticket.client.realm.clone(),
            cname: ticket.client.name.clone(),
            checksum: Some(Checksum::of(&session, KeyUsage::TGS_REQ_CHECKSUM, &body)),
            cusec: moment.cusec.min(999_999),
            ctime: moment.now.plus(clock_offset),
            subkey: Some(subkey.clone()),
            seq_number: None,
        };
        let authenticator = EncryptedData::seal(
            &session,
            KeyUsage::TGS_REQ_AUTHENTICATOR,
            *confounder,
            &zeroize::Zeroizing::new(authenticator.to_der()),
        );
        let shown = read_ticket(ticket)?;
        let ap_req = ApReq { options: 0, ticket: shown, authenticator }.to_der();
        let pa_data = vec![PaData::new(PaType::TGS_REQ, ap_req)];
        Ok(Self {
            request: KdcReq { exchange: Exchange::Tgs, pa_data, body }.to_der(),
            client: ticket.client.clone(),
            service,
            etypes: etypes.to_vec(),
            nonce,
            till: ticket.endtime,
            subkey,
        })
    }

    /// The message, without the length that stands before it on TCP.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.request
    }

    /// Checks the reply.
    ///
    /// # Errors
    /// [`PkinitError::Refused`], and what is wrong with the reply.
    pub fn check(&self, reply: &[u8], kdc_time: KerberosTime) -> Result<Credential, PkinitError> {
        let broken = |part| move |error: DerError| PkinitError::Encoding(part, error);
        if KrbError::is_one(reply) {
            return Err(refused(&KrbError::from_der(reply).map_err(broken(Part::Error))?));
        }
        let reply = KdcRep::from_der(Exchange::Tgs, reply).map_err(broken(Part::TgsRep))?;
        let plain = reply
            .enc_part
            .open(&self.subkey, KeyUsage::TGS_REP_SUBKEY)
            .map_err(|_| PkinitError::ReplyKey)?;
        let part = EncKdcRepPart::from_der(&plain).map_err(broken(Part::EncPart))?;
        if !self.etypes.contains(&part.key.etype()) {
            return Err(PkinitError::Etype(part.key.etype().number()));
        }
        let client = Principal { name: reply.cname, realm: reply.crealm };
        let server = Principal { name: part.sname.clone(), realm: part.srealm.clone() };
        let of_ticket =
            Principal { name: reply.ticket.sname.clone(), realm: reply.ticket.realm.clone() };
        for (holds, field) in [
            (part.nonce == self.nonce, Field::Nonce),
            (client.realm == self.client.realm, Field::ClientRealm),
            (client.is(&self.client), Field::ClientName),
            (of_ticket.is(&self.service), Field::TicketService),
            (server.is(&self.service), Field::Service),
            (part.endtime > kdc_time && part.endtime <= self.till, Field::EndTime),
        ] {
            if !holds {
                return Err(PkinitError::Field(field));
            }
        }
        Ok(Credential::of_a_reply(client, server, &part, &reply.ticket))
    }
}

/// Whether a ticket was made with a key of its service that stands in a keytab, for this client and with this session
/// key: then it comes from the realm's KDC. What the ticket says, to whoever has the key.
///
/// # Errors
/// [`PkinitError::NoHostKey`], [`PkinitError::HostKey`], [`PkinitError::HostTicket`], [`PkinitError::Encoding`].
pub fn check_host_ticket(
    credential: &Credential,
    keytab: &[KeytabEntry],
) -> Result<EncTicketPart, PkinitError> {
    let sealed = read_ticket(credential)?.enc_part;
    let fits = |entry: &&KeytabEntry| {
        entry.principal.is(&credential.server)
            && entry.key.etype().number() == sealed.etype
            && sealed.kvno.is_none_or(|kvno| kvno == entry.kvno)
    };
    let entry = keytab
        .iter()
        .find(fits)
        .ok_or(PkinitError::NoHostKey { etype: sealed.etype, kvno: sealed.kvno })?;
    let plain = sealed.open(&entry.key, KeyUsage::TICKET).map_err(|_| PkinitError::HostKey)?;
    let part = EncTicketPart::from_der(&plain)
        .map_err(|error| PkinitError::Encoding(Part::Ticket, error))?;
    let client = Principal { name: part.cname.clone(), realm: part.crealm.clone() };
    if client.is(&credential.client) && part.key == session_key(credential)? {
        Ok(part)
    } else {
        Err(PkinitError::HostTicket(client))
    }
}

fn read_ticket(credential: &Credential) -> Result<Ticket, PkinitError> {
    Ticket::from_der(&credential.ticket).map_err(|error| PkinitError::Encoding(Part::Ticket, error))
}

fn session_key(credential: &Credential) -> Result<Key, PkinitError> {
    let number = i32::from(credential.key.etype);
    EncryptionType::from_number(number)
        .and_then(|etype| Key::new(etype, &credential.key.bytes).ok())
        .ok_or(PkinitError::Etype(number))
}
