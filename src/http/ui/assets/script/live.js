
// The stream of what changes. Nothing is asked for while nobody looks.

const FIRST_RETRY_MILLIS = 500;
const LAST_RETRY_MILLIS = 8000;

class Live {
  // `page` has `status(data)` and `usage(data)`.
  constructor(page) {
    this.page = page;
    this.source = null;
    this.retryMillis = FIRST_RETRY_MILLIS;
    this.clockSkew = 0;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.close() : this.open()));
    addEventListener('online', () => document.hidden || this.open());
    if (!document.hidden) this.open();
  }

  // The daemon's time, in milliseconds.
  now() {
    return Date.now() + this.clockSkew;
  }

  open() {
    this.close();
    this.source = new EventSource('api/v1/events');
    this.source.addEventListener('status', (event) => {
      this.retryMillis = FIRST_RETRY_MILLIS;
      this.show(true);
      this.page.status(this.read(event));
    });
    this.source.addEventListener('usage', (event) => this.page.usage(this.read(event)));
    // The browser tries again only after some kinds of failures; this after all.
    this.source.addEventListener('error', () => {
      this.close();
      this.show(false);
      this.timer = setTimeout(() => this.open(), this.retryMillis);
      this.retryMillis = Math.min(2 * this.retryMillis, LAST_RETRY_MILLIS);
    });
  }

  read(event) {
    const data = JSON.parse(event.data);
    this.clockSkew = data.now - Date.now();
    return data;
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  show(connected) {
    document.body.classList.toggle('lost', !connected);
    write(byId('connection'), connected ? 'Live' : 'Connection lost, trying again');
  }
}

const MOODS = { RUNNING: 'running', RESTARTING: 'restarting', SHUTDOWN: 'shutting down' };

function showSupervisor(supervisor) {
  byId('identifier').textContent = supervisor.identifier;
  const mood = byId('mood');
  mood.dataset.mood = supervisor.statename;
  mood.textContent = MOODS[supervisor.statename] ?? supervisor.statename;
}
