//! Orders as they are taken and changed over the API; as they are shown: [`shapes::order`](crate::shell::shapes::order).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::fare::Payment;
use crate::domain::ids::{ClientId, TariffId};
use crate::domain::money::Kopecks;
use crate::domain::order::{Create, Detail, Standing};
use crate::shell::shapes::address::Address;
use crate::shell::shapes::order::{Order, OrderHistory, WantedAt};
use crate::shell::store::orders::OrderRow;

use super::dto::given;
use super::problem::Problem;
use super::writer::Shown;

impl From<OrderRow> for Order {
    fn from(row: OrderRow) -> Order {
        Order::of(row.id, row.order)
    }
}

impl Shown for OrderRow {
    type Shape = Order;

    fn version(&self) -> u64 {
        self.order.version
    }

    fn shown(&self) -> Order {
        self.clone().into()
    }
}

/// An order to take. Without `client` it is that of the number, whose card is made if there is none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrder {
    /// Number of the card.
    #[serde(default)]
    client: Option<i64>,
    /// The number to ring about it, in any usual form; the client's own when absent.
    #[serde(default)]
    #[schema(max_length = 120)]
    phone: String,
    /// Who rides, if it is not the client.
    #[serde(default)]
    #[schema(max_length = 120)]
    passenger: String,
    /// Where the car goes first.
    from: Address,
    /// Where it goes from there; at most 10.
    #[serde(default)]
    #[schema(max_items = 10)]
    to: Vec<Address>,
    /// The time of a pre-order; now when absent.
    #[serde(default)]
    wanted: Option<WantedAt>,
    /// The client's, that of the client's group, or the default one when absent.
    #[serde(default)]
    tariff: Option<i64>,
    #[serde(default)]
    payment: Payment,
    /// For the driver.
    #[serde(default)]
    #[schema(max_length = 2000)]
    comment: String,
    /// What it will cost, kopecks, as the client was told.
    #[serde(default)]
    estimate: Option<Kopecks>,
}

impl NewOrder {
    pub(super) fn read(self) -> Result<Create, Problem> {
        Ok(Create {
            client: self.client.map(ClientId),
            // The store looks at the card.
            standing: Standing::default(),
            phone: self.phone,
            passenger: self.passenger,
            from: self.from.read()?,
            to: self.to.into_iter().map(Address::read).collect::<Result<_, _>>()?,
            wanted: WantedAt::read(self.wanted),
            tariff: self.tariff.map(TariffId),
            payment: self.payment,
            comment: self.comment,
            estimate: self.estimate,
        })
    }
}

/// What to change of an order; what is absent stays. Not everything can be changed in every state.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeOrder {
    /// Change only if this is still the version.
    #[serde(default)]
    pub(super) version: Option<u64>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    passenger: Option<String>,
    /// Until the car is there.
    #[serde(default)]
    from: Option<Address>,
    #[serde(default)]
    #[schema(max_items = 10)]
    to: Option<Vec<Address>>,
    /// While there is no car; `null` for now.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<WantedAt>)]
    wanted: Option<Option<WantedAt>>,
    /// Until the trip begins.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    tariff: Option<Option<i64>>,
    #[serde(default)]
    payment: Option<Payment>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Kopecks>)]
    estimate: Option<Option<Kopecks>>,
}

impl ChangeOrder {
    pub(super) fn read(self) -> Result<Vec<Detail>, Problem> {
        let to = self.to.map(|to| to.into_iter().map(Address::read).collect::<Result<_, _>>()).transpose()?;
        let details = [
            self.phone.map(Detail::Phone),
            self.passenger.map(Detail::Passenger),
            self.from.map(Address::read).transpose()?.map(Detail::From),
            to.map(Detail::To),
            self.wanted.map(|wanted| Detail::Wanted(WantedAt::read(wanted))),
            self.tariff.map(|tariff| Detail::Tariff(tariff.map(TariffId))),
            self.payment.map(Detail::Payment),
            self.comment.map(Detail::Comment),
            self.estimate.map(Detail::Estimate),
        ];
        Ok(details.into_iter().flatten().collect())
    }
}

/// An order with its history, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderWithHistory {
    #[serde(flatten)]
    pub(super) order: Order,
    pub(super) history: Vec<OrderHistory>,
}

/// A page of orders, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Orders {
    pub(super) items: Vec<Order>,
    /// Cursor of the next page; `null` after the last.
    pub(super) next: Option<String>,
}
