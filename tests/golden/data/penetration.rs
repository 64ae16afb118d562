//! Penetration of four services, July to November 2009, among students, office workers and all.

use super::Golden;

/// The months of the table. Those between its ends are ours, and rise evenly.
pub const MONTHS: [&str; 5] = ["2009-07", "2009-08", "2009-09", "2009-10", "2009-11"];

/// Customers of each segment, and the rest: the least round numbers that make every percentage a whole number of
/// customers, with no more users among the rest than there are.
pub const STUDENTS: usize = 1_000;
pub const OFFICE_WORKERS: usize = 1_000;
pub const ALL: usize = 10_000;

/// A service in the table.
pub struct Service {
    pub product: &'static str,
    /// Whether the table is about use; about holding, where it is not.
    pub is_active: bool,
    pub students: Ends,
    pub office_workers: Ends,
    pub all: Ends,
}

/// A row of the table, in thousandths: July and November.
#[derive(Clone, Copy)]
pub struct Ends {
    pub july: usize,
    pub november: usize,
    /// Times that November is July, in tenths, as the reports round it; none where they give none.
    pub multiple: Option<usize>,
    /// Whether the reports give the row. Where they do not, it is ours.
    pub is_given: bool,
}

const fn times(july: usize, november: usize, multiple: usize) -> Ends {
    Ends { july, november, multiple: Some(multiple), is_given: true }
}

const fn given(july: usize, november: usize) -> Ends {
    Ends { july, november, multiple: None, is_given: true }
}

const fn ours(july: usize, november: usize) -> Ends {
    Ends { july, november, multiple: None, is_given: false }
}

pub const SERVICES: [Service; 4] = [
    Service {
        product: "fetion",
        is_active: true,
        students: times(43, 157, 37),
        office_workers: times(32, 87, 27),
        all: times(22, 46, 21),
    },
    Service {
        product: "139mail",
        is_active: false,
        students: times(54, 251, 46),
        office_workers: times(42, 183, 44),
        all: times(34, 95, 28),
    },
    Service {
        product: "crbt",
        is_active: true,
        students: given(153, 319),
        office_workers: ours(110, 170),
        all: given(105, 158),
    },
    Service {
        product: "mobile_newspaper",
        is_active: false,
        students: ours(40, 50),
        office_workers: given(62, 137),
        all: given(46, 57),
    },
];

impl Ends {
    /// Users in the month of an index, of so many customers.
    pub fn users(&self, month: usize, customers: usize) -> usize {
        let last = MONTHS.len() - 1;
        (self.july * (last - month) + self.november * month) * customers / (1_000 * last)
    }
}

const PROGRAMME: &str = r#"
[settings]
active_measures = { fetion = "fetion_day", crbt = "crbt_download" }

[[segment]]
id = "student"
when = "occupation = 'student'"

[[segment]]
id = "office_worker"
when = "occupation = 'office_worker'"
"#;

/// Customers with what they hold and use. Who uses a service changes from month to month; who holds one keeps it,
/// and others have it for some days.
pub fn golden() -> Golden {
    let mut golden = Golden::new(PROGRAMME.to_owned(), MONTHS[4]);
    let groups = ["student", "office_worker", "other"];
    let sizes = [STUDENTS, OFFICE_WORKERS, ALL - STUDENTS - OFFICE_WORKERS];
    let mut customers = Vec::new();
    for (group, size) in groups.into_iter().zip(sizes) {
        customers.extend((0..size).map(|index| format!("{},{group}", customer(group, index))));
    }
    golden.feed("customer", "customer_id,occupation", customers);
    let (mut usage, mut orders) = (Vec::new(), Vec::new());
    for service in &SERVICES {
        for (place, (group, size)) in groups.into_iter().zip(sizes).enumerate() {
            let of_group = |month: usize| {
                let [students, office_workers, all] = service.users_of(month);
                [students, office_workers, all - students - office_workers][place]
            };
            let users: Vec<usize> = (0..MONTHS.len()).map(of_group).collect();
            if service.is_active {
                use_of(service.product, group, size, &users, &mut usage);
            } else {
                holding_of(service.product, group, size, &users, &mut orders);
            }
        }
    }
    golden.feed("usage", "customer_id,day,measure,quantity", usage);
    golden.feed("order", "order_id,customer_id,product_id,action,at", orders);
    golden
}

impl Service {
    /// Students, office workers and all who use or hold it in the month of an index.
    pub fn users_of(&self, month: usize) -> [usize; 3] {
        let rows = [(self.students, STUDENTS), (self.office_workers, OFFICE_WORKERS), (self.all, ALL)];
        rows.map(|(ends, customers)| ends.users(month, customers))
    }
}

/// The name of a customer of a group. The first of the rest is the one who is billed.
fn customer(group: &str, index: usize) -> String {
    if group == "other" && index == 0 { "billed".to_owned() } else { format!("{group}{index:04}") }
}

/// Users of a month are a window that moves on. Each uses it on two days; whoever comes after the window has a row
/// that says 0, and one of something else.
fn use_of(product: &str, group: &str, size: usize, users: &[usize], rows: &mut Vec<String>) {
    let measure = if product == "fetion" { "fetion_day" } else { "crbt_download" };
    for (month, &users) in users.iter().enumerate() {
        let name = |index: usize| customer(group, (index + 211 * month) % size);
        for index in 0..users {
            let (name, month) = (name(index), MONTHS[month]);
            rows.push(format!("{name},{month}-{:02},{measure},1", 1 + index % 15));
            rows.push(format!("{name},{month}-{:02},{measure},{}", 16 + index % 15, index % 3));
        }
        for index in users..(users + 20).min(size) {
            let (name, month) = (name(index), MONTHS[month]);
            rows.push(format!("{name},{month}-10,{measure},0"));
            rows.push(format!("{name},{month}-11,sms_p2p,5"));
        }
    }
}

/// Holders are the first of a group, more each month. Every other of a month orders in its last second, every
/// third again under another id, every fourth had cancelled before; the twenty after them order and cancel within
/// the month.
fn holding_of(product: &str, group: &str, size: usize, holders: &[usize], rows: &mut Vec<String>) {
    let mut add = |index: usize, action: &str, at: String| {
        let id = format!("{product}-{group}-{}", rows.len());
        rows.push(format!("{id},{},{product},{action},{at}", customer(group, index)));
    };
    let mut held = 0;
    for (month, &holders) in holders.iter().enumerate() {
        let (name, last_day) = (MONTHS[month], if matches!(month, 2 | 4) { 30 } else { 31 });
        for index in held..holders {
            if index.is_multiple_of(4) {
                add(index, "subscribe", format!("{name}-02 08:00:00"));
                add(index, "cancel", format!("{name}-03 08:00:00"));
            }
            let action = if index.is_multiple_of(5) { "trial" } else { "subscribe" };
            let at = if index.is_multiple_of(2) { format!("{last_day} 23:59:59") } else { "15 12:00:00".to_owned() };
            if index.is_multiple_of(3) {
                add(index, "subscribe", format!("{name}-14 12:00:00"));
            }
            add(index, action, format!("{name}-{at}"));
        }
        for index in holders..(holders + 20).min(size) {
            add(index, "subscribe", format!("{name}-05 12:00:00"));
            add(index, "cancel", format!("{name}-{last_day} 23:59:59"));
        }
        held = holders;
    }
}
