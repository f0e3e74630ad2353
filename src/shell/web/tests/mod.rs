//! The API as clients see it: the real router, a real database, the real engine; only Asterisk is a stand-in that
//! answers every request at once.

mod addresses;
mod calls;
mod clients;
mod form;
mod office;
mod orders;
mod people;
mod programs;
mod roles;
mod sessions;
mod sms;
mod stream;
mod tables;
mod tariffs;
