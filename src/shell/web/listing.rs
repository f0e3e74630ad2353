//! What all long lists are asked by: a span of time and a page, beside each list's own wishes.

/// The query `Wanted` of a list, with `from`, `to`, `cursor` and `limit` around the list's own fields, each of which may
/// be left out.
macro_rules! listing {
    ($(#[$doc:meta])* { $($(#[$note:meta])* $field:ident: $kind:ident,)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(super) struct Wanted {
            /// From this moment on, by what the list is ordered by.
            from: Option<chrono::DateTime<chrono::Utc>>,
            /// Before this moment.
            to: Option<chrono::DateTime<chrono::Utc>>,
            $($(#[$note])* $field: Option<$kind>,)*
            /// `next` of the page before.
            cursor: Option<String>,
            /// Items on the page, at most 500; 50 when absent.
            limit: Option<u32>,
        }

        impl Wanted {
            /// From which moment on, and before which.
            fn span(&self) -> [Option<crate::engine::time::Wall>; 2] {
                [self.from, self.to].map(|at| at.map(super::dto::wall))
            }

            /// After which place, and how many items.
            fn page(&self) -> (Option<&str>, u32) {
                (self.cursor.as_deref(), self.limit.unwrap_or(super::dto::PAGE))
            }
        }
    };
}

pub(super) use listing;
