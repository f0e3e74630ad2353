// Days of a filter as moments: a day begins at midnight of the person's own clock.

const DAY_MS = 86400000;

export const begin = (day) => (day ? new Date(`${day}T00:00`).toISOString() : '');
/// The first moment after the day.
export const end = (day) => (day ? new Date(new Date(`${day}T00:00`).getTime() + DAY_MS).toISOString() : '');
