//! An order taken apart at its commas.

use super::SpecError;

/// `KEY` or `KEY=VALUE`.
pub(super) struct Item<'a> {
    pub(super) key: &'a str,
    pub(super) value: Option<&'a str>,
}

impl Item<'_> {
    /// The value, if `read` takes it.
    pub(super) fn parse<T>(
        &self,
        allowed: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, SpecError> {
        self.value.and_then(read).ok_or_else(|| self.bad(allowed))
    }

    pub(super) fn bad(&self, allowed: &'static str) -> SpecError {
        SpecError::BadValue { key: self.key.to_owned(), allowed }
    }
}

/// The items between the commas.
pub(super) struct Items<'a> {
    rest: Option<&'a str>,
}

impl<'a> Items<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: Some(text) }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, SpecError>;

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
                _ => return Some(Err(SpecError::BadQuotes)),
            },
        };
        self.rest = tail.strip_prefix(',');
        Some(Ok(Item { key, value: Some(value) }))
    }
}
