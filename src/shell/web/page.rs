//! The page at `/`.

use axum::response::Html;

/// What this is, and where to look.
#[utoipa::path(get, path = "/", tag = "about", responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}
