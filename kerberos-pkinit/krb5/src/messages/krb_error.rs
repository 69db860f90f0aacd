//! KRB-ERROR, RFC 4120, 5.9.1, and the codes that a logon meets.
//!
//! Nothing in it is authenticated: whoever reads it may believe no more of it than costs nothing.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{PVNO, head};
use crate::der::{Reader, Result, Writer, application, context};
use crate::{KerberosTime, PrincipalName, Realm};

const KRB_ERROR: u8 = 30;

macro_rules! codes {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        /// A code of KRB-ERROR.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct ErrorCode(pub i32);

        impl ErrorCode {
            $(#[doc = $text] pub const $name: Self = Self($number);)*

            /// What it means, if we know it.
            #[must_use]
            pub const fn text(self) -> Option<&'static str> {
                match self.0 { $($number => Some($text),)* _ => None }
            }
        }
    };
}

codes! {
    NAME_EXPIRED = 1, "the client's entry has expired";
    CLIENT_UNKNOWN = 6, "the KDC knows no such client";
    SERVICE_UNKNOWN = 7, "the KDC knows no such service";
    NULL_KEY = 9, "the client or the service has no key";
    NEVER_VALID = 11, "the ticket would never be valid";
    POLICY = 12, "the KDC's policy refuses the request";
    BAD_OPTION = 13, "the KDC cannot grant an option that was asked for";
    ETYPE_NOSUPP = 14, "the KDC supports none of the encryption types";
    PADATA_TYPE_NOSUPP = 16, "the KDC does not support this pre-authentication";
    CLIENT_REVOKED = 18, "the client's account is locked or disabled";
    SERVICE_REVOKED = 19, "the service's account is locked or disabled";
    CLIENT_NOT_YET = 21, "the client's account is not valid yet";
    KEY_EXPIRED = 23, "the client's password has expired";
    PREAUTH_FAILED = 24, "the pre-authentication failed";
    PREAUTH_REQUIRED = 25, "pre-authentication is required";
    SERVER_NOMATCH = 26, "the ticket is for another service";
    BAD_INTEGRITY = 31, "the integrity check of decrypted data failed";
    TICKET_EXPIRED = 32, "the ticket has expired";
    TICKET_NOT_YET = 33, "the ticket is not valid yet";
    REPEAT = 34, "the request is a replay";
    CLOCK_SKEW = 37, "the clocks are too far apart";
    MODIFIED = 41, "the message was changed";
    BAD_KVNO = 44, "the version of the key is not available";
    RESPONSE_TOO_BIG = 52, "the reply is too big for UDP";
    GENERIC = 60, "a generic error";
    CLIENT_NOT_TRUSTED = 62, "the KDC does not trust the client's certificate";
    KDC_NOT_TRUSTED = 63, "the KDC has no certificate that the client trusts";
    INVALID_SIG = 64, "the signature over the request is not valid";
    DH_PARAMETERS_NOT_ACCEPTED = 65, "the KDC does not accept the Diffie-Hellman group";
    CERTIFICATE_MISMATCH = 66, "the certificate belongs to another account";
    WRONG_REALM = 68, "the client belongs to another realm";
    CANT_VERIFY_CERTIFICATE = 70, "the KDC cannot verify the client's certificate chain";
    INVALID_CERTIFICATE = 71, "the client's certificate is not valid";
    REVOKED_CERTIFICATE = 72, "the client's certificate is revoked";
    REVOCATION_STATUS_UNKNOWN = 73, "it is not known whether the certificate is revoked";
    REVOCATION_STATUS_UNAVAILABLE = 74, "the KDC cannot ask whether the certificate is revoked";
    CLIENT_NAME_MISMATCH = 75, "the certificate names another client";
    KDC_NAME_MISMATCH = 76, "the certificate names another KDC";
    INCONSISTENT_KEY_PURPOSE = 77, "the certificate is not for this purpose";
    DIGEST_IN_CERT_NOT_ACCEPTED = 78, "the certificate's digest is not accepted";
    PA_CHECKSUM_MUST_BE_INCLUDED = 79, "the request's checksum is missing or wrong";
    DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED = 80, "the signature's digest is not accepted";
    PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED = 81, "the KDC does not support public-key encryption of replies";
    PREAUTH_EXPIRED = 90, "the pre-authentication took too long";
    MORE_PREAUTH_REQUIRED = 91, "more pre-authentication is required";
    NO_ACCEPTABLE_KDF = 100, "the KDC accepts none of the key derivation functions";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text} (code {})", self.0),
            None => write!(f, "code {}", self.0),
        }
    }
}

/// What a KDC says is shown, not understood: what is no UTF-8 is replaced.
fn said(reader: &mut Reader<'_>) -> Result<String> {
    reader.string().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// An error from a KDC or a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KrbError {
    /// The time at the client, as it was sent.
    pub ctime: Option<(KerberosTime, Option<u32>)>,
    /// The time at the KDC.
    pub stime: KerberosTime,
    /// Its microseconds.
    pub susec: u32,
    /// What went wrong.
    pub code: ErrorCode,
    /// The realm of the client, or the one that it belongs to (with the code 68).
    pub crealm: Option<Realm>,
    /// The client.
    pub cname: Option<PrincipalName>,
    /// The realm of the service.
    pub realm: Realm,
    /// The service.
    pub sname: PrincipalName,
    /// What the KDC says in words. It may say anything.
    pub text: Option<String>,
    /// More, by the code: METHOD-DATA, typed data.
    pub data: Option<Vec<u8>>,
}

impl KrbError {
    /// Whether bytes look like one, so that a reply can be told from an error.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.first() == Some(&application(KRB_ERROR))
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`](crate::der::DerError).
    pub fn from_der(bytes: &[u8]) -> Result<Self> {
        Reader::whole(bytes, |reader| {
            reader.within(application(KRB_ERROR), |message| {
                message.sequence(|fields| {
                    head(fields, 0, KRB_ERROR)?;
                    let ctime = fields.optional(context(2), KerberosTime::read)?;
                    let cusec = fields.optional(context(3), Reader::uint32)?;
                    let read = Self {
                        ctime: ctime.map(|time| (time, cusec)),
                        stime: fields.within(context(4), KerberosTime::read)?,
                        susec: fields.within(context(5), Reader::uint32)?,
                        code: ErrorCode(fields.within(context(6), Reader::int32)?),
                        crealm: fields.optional(context(7), Realm::read)?,
                        cname: fields.optional(context(8), PrincipalName::read)?,
                        realm: fields.within(context(9), Realm::read)?,
                        sname: fields.within(context(10), PrincipalName::read)?,
                        text: fields.optional(context(11), said)?,
                        data: fields
                            .optional(context(12), |field| field.octets().map(<[u8]>::to_vec))?,
                    };
                    fields.skip_extensions()?;
                    Ok(read)
                })
            })
        })
    }

    /// Writes it, as a KDC does.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.within(application(KRB_ERROR), |message| {
            message.sequence(|fields| {
                fields.within(context(0), |field| field.integer(PVNO));
                fields.within(context(1), |field| field.integer(KRB_ERROR));
                let ctime = self.ctime.map(|(time, _)| time);
                fields.optional(context(2), ctime, |field, time| time.write(field));
                let cusec = self.ctime.and_then(|(_, usec)| usec);
                fields.optional(context(3), cusec, Writer::integer);
                fields.within(context(4), |field| self.stime.write(field));
                fields.within(context(5), |field| field.integer(self.susec));
                fields.within(context(6), |field| field.integer(self.code.0));
                fields
                    .optional(context(7), self.crealm.as_ref(), |field, realm| realm.write(field));
                fields.optional(context(8), self.cname.as_ref(), |field, name| name.write(field));
                fields.within(context(9), |field| self.realm.write(field));
                fields.within(context(10), |field| self.sname.write(field));
                let text = self.text.as_deref();
                fields.optional(context(11), text, |field, text| field.string(text.as_bytes()));
                fields.optional(context(12), self.data.as_deref(), Writer::octets);
            });
        });
        writer.into_bytes()
    }
}
