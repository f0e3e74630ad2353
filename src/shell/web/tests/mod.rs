//! The API as clients see it: the real router, a real database, the real engine; only Asterisk is a stand-in that
//! answers every request at once.

mod addresses;
mod calls;
mod clients;
mod form;
mod journal;
mod listening;
mod live;
mod office;
mod orders;
mod outgoing;
mod people;
mod phone;
mod programs;
mod quality;
mod reports;
mod roles;
mod second_factor;
mod sessions;
mod settings;
mod sms;
mod stream;
mod tables;
mod tariffs;
