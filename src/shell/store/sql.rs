//! A statement with its values, and rows read without panics. `$1` works in both databases.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::encode::Encode;
use sqlx::types::Type;
use sqlx::{Any, Arguments as _, Row as _};

use super::error::{Result, StoreError};

/// A statement being put together.
pub(super) struct Sql {
    text: Cow<'static, str>,
    values: AnyArguments<'static>,
    count: usize,
    refused: Option<String>,
}

impl Sql {
    /// Begins with this text, which names its values `$1`, `$2`, ….
    pub(super) fn new(text: impl Into<Cow<'static, str>>) -> Sql {
        Sql { text: text.into(), values: AnyArguments::default(), count: 0, refused: None }
    }

    /// The value of the next `$n` of the text.
    #[must_use]
    pub(super) fn with<T>(mut self, value: T) -> Sql
    where
        T: 'static + Encode<'static, Any> + Type<Any>,
    {
        self.bind(value);
        self
    }

    fn bind<T>(&mut self, value: T)
    where
        T: 'static + Encode<'static, Any> + Type<Any>,
    {
        self.count += 1;
        if let Err(error) = self.values.add(value) {
            self.refused = Some(error.to_string());
        }
    }

    /// Adds text.
    pub(super) fn push(&mut self, text: &str) {
        self.text.to_mut().push_str(text);
    }

    /// Puts text before and after what there is.
    pub(super) fn surround(&mut self, before: &str, after: &str) {
        self.text.to_mut().insert_str(0, before);
        self.push(after);
    }

    /// Adds a value in place.
    pub(super) fn push_value<T>(&mut self, value: T)
    where
        T: 'static + Encode<'static, Any> + Type<Any>,
    {
        self.bind(value);
        // Writing into a String cannot fail.
        let _ = write!(self.text.to_mut(), "${}", self.count);
    }

    /// The value of the next `$n`, many in one: as JSON.
    #[must_use]
    pub(super) fn with_json(mut self, value: &(impl Serialize + ?Sized)) -> Sql {
        match serde_json::to_string(value) {
            Ok(text) => self.bind(text),
            Err(error) => self.refused = Some(error.to_string()),
        }
        self
    }

    /// Adds values in brackets, with commas: `($3, $4)`. There must be one at least.
    pub(super) fn push_list<T>(&mut self, values: impl IntoIterator<Item = T>)
    where
        T: 'static + Encode<'static, Any> + Type<Any>,
    {
        for (at, value) in values.into_iter().enumerate() {
            self.push(if at == 0 { "(" } else { ", " });
            self.push_value(value);
        }
        self.push(")");
    }

    /// Text and values, to be run.
    pub(super) fn parts(self) -> Result<(Cow<'static, str>, AnyArguments<'static>)> {
        match self.refused {
            None => Ok((self.text, self.values)),
            Some(why) => Err(StoreError::Invalid(why)),
        }
    }
}

/// Reading columns by name.
pub(super) trait Columns {
    fn int(&self, column: &str) -> Result<i64>;
    fn int_opt(&self, column: &str) -> Result<Option<i64>>;
    fn text(&self, column: &str) -> Result<String>;
    fn text_opt(&self, column: &str) -> Result<Option<String>>;

    /// A number that must fit a smaller type.
    fn small<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        let value = self.int(column)?;
        T::try_from(value).map_err(|_| StoreError::Unreadable(format!("{column} is {value}")))
    }

    /// A number that must fit a smaller type, if there is one.
    fn small_opt<T: TryFrom<i64>>(&self, column: &str) -> Result<Option<T>> {
        self.int_opt(column)?
            .map(|value| T::try_from(value).map_err(|_| StoreError::Unreadable(format!("{column} is {value}"))))
            .transpose()
    }

    /// A flag, 0 or 1; none counts as no.
    fn flag(&self, column: &str) -> Result<bool> {
        Ok(self.int_opt(column)?.unwrap_or(0) != 0)
    }
}

impl Columns for AnyRow {
    fn int(&self, column: &str) -> Result<i64> {
        Ok(self.try_get(column)?)
    }

    fn int_opt(&self, column: &str) -> Result<Option<i64>> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: &str) -> Result<String> {
        Ok(self.try_get(column)?)
    }

    fn text_opt(&self, column: &str) -> Result<Option<String>> {
        Ok(self.try_get(column)?)
    }
}
