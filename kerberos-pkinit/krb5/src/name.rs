//! Realms and principal names, RFC 4120, 5.2.2 and 6; their text form as MIT and Heimdal write it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::der::{DerError, Reader, Result, Writer, context};

/// The most components of a name that we read.
const MAX_COMPONENTS: usize = 32;

/// What a name is for, RFC 4120, 6.2. The number is a hint: two names with other types are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameType(pub i32);

impl NameType {
    /// Not known.
    pub const UNKNOWN: Self = Self(0);
    /// A user, or anything whose name says it all.
    pub const PRINCIPAL: Self = Self(1);
    /// A service and its instance: `krbtgt/REALM`.
    pub const SRV_INST: Self = Self(2);
    /// A service and its host: `host/name`.
    pub const SRV_HST: Self = Self(3);
    /// An enterprise name (RFC 6806): one component with an `@` in it.
    pub const ENTERPRISE: Self = Self(10);
    /// `WELLKNOWN/...` (RFC 6111).
    pub const WELLKNOWN: Self = Self(11);
}

/// A realm. Case counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Realm(String);

impl Realm {
    /// A realm; not empty, and without NUL.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        (!name.is_empty() && !name.contains('\0')).then_some(Self(name))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a `Realm`.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Self::new(text(reader)?).ok_or(DerError::Value)
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.string(self.0.as_bytes());
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name within a realm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalName {
    /// What it is for.
    pub name_type: NameType,
    /// Its components, one at least.
    pub components: Vec<String>,
}

impl PrincipalName {
    /// A name of these components.
    #[must_use]
    pub fn new(name_type: NameType, components: &[&str]) -> Self {
        Self { name_type, components: components.iter().map(|part| String::from(*part)).collect() }
    }

    /// The ticket-granting service of a realm.
    #[must_use]
    pub fn krbtgt(realm: &Realm) -> Self {
        Self::new(NameType::SRV_INST, &["krbtgt", realm.as_str()])
    }

    /// Whether both name the same thing: the type is a hint and does not count.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.components == other.components
    }

    /// Reads a `PrincipalName`.
    ///
    /// # Errors
    /// [`DerError`]; a name without components, or with a great many, is [`DerError::Value`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.sequence(|name| {
            let name_type = NameType(name.within(context(0), Reader::int32)?);
            let components = name.within(context(1), |list| list.sequence_of(text))?;
            if components.is_empty() || components.len() > MAX_COMPONENTS {
                return Err(DerError::Value);
            }
            Ok(Self { name_type, components })
        })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.sequence(|name| {
            name.within(context(0), |field| field.integer(self.name_type.0));
            name.within(context(1), |field| {
                field.sequence_of(&self.components, |list, part| list.string(part.as_bytes()));
            });
        });
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, component) in self.components.iter().enumerate() {
            if at > 0 {
                f.write_str("/")?;
            }
            escape(component, f)?;
        }
        Ok(())
    }
}

/// A name and its realm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// The name.
    pub name: PrincipalName,
    /// The realm.
    pub realm: Realm,
}

impl Principal {
    /// Whether both name the same thing.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.realm == other.realm && self.name.is(&other.name)
    }

    /// Reads the text form `name/instance@REALM`; without `@`, the default realm. A backslash takes the next
    /// character as it is, and `\n`, `\t`, `\b`, `\0` mean what they mean in C.
    ///
    /// # Errors
    /// See [`PrincipalError`].
    pub fn parse(
        text: &str,
        default: Option<&Realm>,
    ) -> core::result::Result<Self, PrincipalError> {
        let (components, realm) = split(text, true)?;
        let realm = match realm {
            Some(realm) => Realm::new(realm).ok_or(PrincipalError::NoRealm)?,
            None => default.cloned().ok_or(PrincipalError::NoRealm)?,
        };
        let name_type = match components.first().map(String::as_str) {
            Some("krbtgt") if components.len() == 2 => NameType::SRV_INST,
            Some("WELLKNOWN") if components.len() > 1 => NameType::WELLKNOWN,
            _ => NameType::PRINCIPAL,
        };
        Ok(Self { name: PrincipalName { name_type, components }, realm })
    }

    /// Reads an enterprise name: `user@suffix` is one component, and the realm is given apart.
    ///
    /// # Errors
    /// [`PrincipalError::Empty`].
    pub fn enterprise(text: &str, realm: Realm) -> core::result::Result<Self, PrincipalError> {
        if text.is_empty() || text.contains('\0') {
            return Err(PrincipalError::Empty);
        }
        Ok(Self { name: PrincipalName::new(NameType::ENTERPRISE, &[text]), realm })
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.name)?;
        escape(self.realm.as_str(), f)
    }
}

impl FromStr for Principal {
    type Err = PrincipalError;

    fn from_str(text: &str) -> core::result::Result<Self, PrincipalError> {
        Self::parse(text, None)
    }
}

/// Why a text is no principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrincipalError {
    /// Nothing stands before the `@`.
    Empty,
    /// There is no realm, and no default.
    NoRealm,
    /// There is more than one `@` that no backslash takes away.
    TwoRealms,
    /// A backslash at the end.
    Unfinished,
    /// More components than any name has.
    TooMany,
}

impl fmt::Display for PrincipalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is empty",
            Self::NoRealm => "there is no realm (name@REALM, or default_realm in krb5.conf)",
            Self::TwoRealms => "there are two @ (write \\@ for one that belongs to the name)",
            Self::Unfinished => "a backslash stands at the end",
            Self::TooMany => "the name has too many components",
        })
    }
}

impl core::error::Error for PrincipalError {}

type Split = (Vec<String>, Option<String>);

fn split(text: &str, slashes: bool) -> core::result::Result<Split, PrincipalError> {
    let mut parts = alloc::vec![String::new()];
    let mut realm: Option<String> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let plain = match char {
            '@' if realm.is_some() => return Err(PrincipalError::TwoRealms),
            '@' => {
                realm = Some(String::new());
                continue;
            }
            '/' if slashes && realm.is_none() => {
                parts.push(String::new());
                continue;
            }
            '\\' => match chars.next().ok_or(PrincipalError::Unfinished)? {
                'n' => '\n',
                't' => '\t',
                'b' => '\u{8}',
                '0' => '\0',
                other => other,
            },
            other => other,
        };
        match (&mut realm, parts.last_mut()) {
            (Some(realm), _) => realm.push(plain),
            (None, Some(part)) => part.push(plain),
            (None, None) => {}
        }
    }
    if parts.len() > MAX_COMPONENTS {
        return Err(PrincipalError::TooMany);
    }
    if parts.iter().all(String::is_empty) {
        return Err(PrincipalError::Empty);
    }
    Ok((parts, realm))
}

fn escape(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;
    for char in text.chars() {
        match char {
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\u{8}' => f.write_str("\\b")?,
            '\0' => f.write_str("\\0")?,
            '/' | '@' | '\\' => {
                f.write_char('\\')?;
                f.write_char(char)?;
            }
            // A terminal shall not be told anything by a KDC.
            char if char.is_control() => write!(f, "{}", char.escape_unicode())?,
            char => f.write_char(char)?,
        }
    }
    Ok(())
}

/// A `KerberosString`: ASCII in the standard, UTF-8 in practice.
pub(crate) fn text(reader: &mut Reader<'_>) -> Result<String> {
    let bytes = reader.string()?;
    core::str::from_utf8(bytes).map(String::from).map_err(|_| DerError::Value)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn parse(text: &str) -> core::result::Result<(Vec<String>, String), PrincipalError> {
        let default = Realm::new("DEFAULT");
        let principal = Principal::parse(text, default.as_ref())?;
        Ok((principal.name.components, principal.realm.as_str().into()))
    }

    #[test]
    fn principals_are_read_as_people_write_them() {
        for (text, components, realm) in [
            ("alice", &["alice"][..], "DEFAULT"),
            ("alice@EXAMPLE.COM", &["alice"], "EXAMPLE.COM"),
            ("host/a.example.com@EXAMPLE.COM", &["host", "a.example.com"], "EXAMPLE.COM"),
            ("a\\@b@R", &["a@b"], "R"),
            ("a\\/b/c@R/S", &["a/b", "c"], "R/S"),
            ("a\\\\@R", &["a\\"], "R"),
            ("a\\tb@R", &["a\tb"], "R"),
            ("a/@R", &["a", ""], "R"),
        ] {
            let components = components.iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(parse(text), Ok((components, realm.into())), "{text}");
        }
        for (text, error) in [
            ("", PrincipalError::Empty),
            ("@R", PrincipalError::Empty),
            ("a@", PrincipalError::NoRealm),
            ("a@b@R", PrincipalError::TwoRealms),
            ("a\\", PrincipalError::Unfinished),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
        assert_eq!("alice".parse::<Principal>(), Err(PrincipalError::NoRealm));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["alice@R", "a\\@b/c\\/d@R\\@S", "x\\ny@R"] {
            let principal: Principal = text.parse().unwrap();
            assert_eq!(principal.to_string(), text);
            let mut writer = Writer::new();
            principal.name.write(&mut writer);
            let bytes = writer.into_bytes();
            assert_eq!(PrincipalName::read(&mut Reader::new(&bytes)), Ok(principal.name));
            for cut in 0..bytes.len() {
                let cut = bytes.get(..cut).unwrap_or_default();
                assert_eq!(PrincipalName::read(&mut Reader::new(cut)), Err(DerError::Short));
            }
        }
    }

    #[test]
    fn a_name_from_a_peer_cannot_speak_to_a_terminal() {
        let name = PrincipalName::new(NameType::PRINCIPAL, &["\u{1b}[31m", "\u{9b}"]);
        assert!(name.to_string().chars().all(|char| !char.is_control()), "{name}");
    }

    #[test]
    fn the_type_of_a_name_is_a_hint() {
        let one = PrincipalName::new(NameType::PRINCIPAL, &["krbtgt", "R"]);
        let other = PrincipalName::krbtgt(&Realm::new("R").unwrap());
        assert!(one.is(&other) && one != other);
        assert_eq!("krbtgt/R@R".parse::<Principal>().unwrap().name, other);
    }
}
