//! Is this Asterisk fit and well configured? For `perezvon check`.
