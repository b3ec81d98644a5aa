/** Opening hours: pure, so that tests need no clock. */

export const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** The store's day, date (`MM-DD`) and time (`HH:MM`) at a moment. */
export function localTime(unixMs, utcOffsetHours) {
  const local = new Date(unixMs + utcOffsetHours * 3_600_000);
  const text = local.toISOString();
  return { day: DAYS[(local.getUTCDay() + 6) % 7], date: text.slice(5, 10), time: text.slice(11, 16) };
}

/** Whether the store is open at a local time, and until when. */
export function opening(hours, closedDays, { day, date, time }) {
  const span = hours[day];
  if (span === undefined || closedDays.includes(date)) return { open: false };
  const match = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(span);
  if (!match) throw new Error(`config: hours.${day} is ${JSON.stringify(span)}; expected it as in "09:00-18:00"`);
  const [, from, to] = match;
  return time >= from && time < to ? { open: true, until: to } : { open: false };
}

/** A time as it is said: `18:00` is "6 PM", `09:30` is "9:30 AM". */
export function spoken(time) {
  const [hour, minute] = time.split(':').map(Number);
  const minutes = minute === 0 ? '' : `:${String(minute).padStart(2, '0')}`;
  return `${hour % 12 || 12}${minutes} ${hour < 12 ? 'AM' : 'PM'}`;
}
