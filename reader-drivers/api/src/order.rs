//! How readers are ordered: the rest of `--reader DRIVER:REST`, as items between commas, so that every driver's orders
//! look alike. Double quotes around a value let it hold commas.

use std::fmt;

/// `KEY` or `KEY=VALUE`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// What stands before the first `=`.
    pub key: &'a str,
    /// What stands behind it, without its quotes. It may be a PIN.
    pub value: Option<&'a str>,
}

impl Item<'_> {
    /// The value, if `read` takes it.
    ///
    /// # Errors
    /// [`ItemError::BadValue`], also where there is none.
    pub fn parse<T>(
        &self,
        allowed: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ItemError> {
        self.value.and_then(read).ok_or_else(|| self.bad(allowed))
    }

    /// The error of a value where something else is allowed.
    #[must_use]
    pub fn bad(&self, allowed: &'static str) -> ItemError {
        ItemError::BadValue { key: self.key.to_owned(), allowed }
    }
}

/// Does not show the value.
impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({})", self.key)
    }
}

/// The items between the commas; an empty text has one item, with an empty key.
#[derive(Clone)]
pub struct Items<'a> {
    rest: Option<&'a str>,
}

impl<'a> Items<'a> {
    /// The items of that text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { rest: Some(text) }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, ItemError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let end = rest.find(['=', ',']).unwrap_or(rest.len());
        let (key, tail) = rest.split_at_checked(end)?;
        let Some(value) = tail.strip_prefix('=') else {
            self.rest = tail.strip_prefix(',');
            return Some(Ok(Item { key, value: None }));
        };
        let (value, tail) = match value.strip_prefix('"') {
            None => value.split_at_checked(value.find(',').unwrap_or(value.len()))?,
            Some(quoted) => match quoted.split_once('"') {
                Some((value, tail)) if tail.is_empty() || tail.starts_with(',') => (value, tail),
                _ => return Some(Err(ItemError::BadQuotes)),
            },
        };
        self.rest = tail.strip_prefix(',');
        Some(Ok(Item { key, value: Some(value) }))
    }
}

/// What is wrong with an item, whatever it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ItemError {
    /// A value is missing or not of its kind. It is not shown: it may be a PIN.
    BadValue {
        /// Of which key.
        key: String,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A quote was opened and never closed, or text follows the closing one.
    BadQuotes,
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadValue { key, allowed } => write!(f, "{key} takes {allowed}"),
            Self::BadQuotes => {
                f.write_str("a quoted value ends with a quote, and a comma or nothing follows it")
            }
        }
    }
}

impl std::error::Error for ItemError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, Option<&str>)]) {
        let items: Vec<_> =
            Items::new(text).map(|item| item.map(|it| (it.key, it.value))).collect();
        let expected: Vec<_> = expected.iter().copied().map(Ok).collect();
        assert_eq!(items, expected, "{text}");
    }

    #[test]
    fn items_stand_between_commas() {
        check("", &[("", None)]);
        check("piv", &[("piv", None)]);
        check("a,b=,c=1", &[("a", None), ("b", Some("")), ("c", Some("1"))]);
        check("a=x=y, b", &[("a", Some("x=y")), (" b", None)]);
        check(r#"a="x, y",b"#, &[("a", Some("x, y")), ("b", None)]);
    }

    #[test]
    fn quotes_are_closed_before_a_comma_or_the_end() {
        for text in [r#"a="x"#, r#"a="x"y"#, r#"a=""""#] {
            let last = Items::new(text).last();
            assert_eq!(last, Some(Err(ItemError::BadQuotes)), "{text}");
        }
    }
}
