
// A log as it grows. What is kept is bounded: lines, and the length of each.

const MAX_LINES = 5000;
const MAX_LINE_CHARS = 16384;
const FIRST_LOG_RETRY_MILLIS = 1000;
const LAST_LOG_RETRY_MILLIS = 16_000;
// Browsers keep only six connections to a server: pages that nobody looks at give theirs up.
const UNSEEN_MILLIS = 30_000;
const MIN_PAUSE_MILLIS = 16;
const WORK_SHARE = 4;
const MAX_LINE_MATCHES = 100;
const MAX_MATCHES_SHOWN = 10000;

// Escape sequences for colours, cursors and titles, complete ones only, and other control characters.
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g;

// What a terminal would show of a line in the end: no colours, and only what was written after the last return.
function plain(line) {
  const text = line.replace(ESCAPES, '').replace(/\r+$/, '');
  return text.slice(text.lastIndexOf('\r') + 1);
}

// How bad a line says that it is, in the words of most programs and of our own log.
function level(line) {
  if (/\b(?:CRIT(?:ICAL)?|FATAL|ERRO|ERROR|PANIC)\b/.test(line)) return 'error';
  return /\bWARN(?:ING)?\b/.test(line) ? 'warning' : '';
}

// Cuts a stream of text into lines; what has no end yet is the rest.
class Lines {
  rest = '';

  // The complete lines of what came so far, without their ends.
  push(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop();
    while (this.rest.length > MAX_LINE_CHARS) {
      lines.push(this.rest.slice(0, MAX_LINE_CHARS));
      this.rest = this.rest.slice(MAX_LINE_CHARS);
    }
    return lines;
  }
}

// The lines on the page.
class LogView {
  constructor(place) {
    this.place = place;
    this.waiting = [];
    this.waitingCount = 0;
    this.rest = null;
    this.paused = false;
    this.timer = null;
    this.cost = 0;
    this.changed = () => {};
  }

  clear() {
    this.forget();
    this.place.replaceChildren();
    this.rest = null;
    this.cut = false;
    this.outdated = false;
  }

  // Forgets the lines that are not shown yet.
  forget() {
    this.waiting = [];
    this.waitingCount = 0;
  }

  // Makes room for a log that is told from its end again. What a person wanted to look at stays until they go on.
  renew() {
    this.waitingRest = '';
    if (this.paused) {
      this.forget();
      this.outdated = true;
    } else {
      this.clear();
    }
  }

  // Takes complete lines and the beginning of the next one.
  take(lines, rest) {
    this.waitingCount += lines.length;
    this.waiting = [...this.waiting, ...lines.slice(-MAX_LINES)].slice(-MAX_LINES);
    this.waitingRest = rest;
    this.timer ??= setTimeout(() => this.work(), Math.max(MIN_PAUSE_MILLIS, WORK_SHARE * this.cost));
  }

  // However fast a log grows, most of the time is left to the person.
  work() {
    this.timer = null;
    const start = performance.now();
    if (this.paused) this.changed([]);
    else this.flush();
    this.cost = performance.now() - start;
  }

  flush() {
    const sticks = this.isAtEnd();
    const { waiting } = this;
    if (this.outdated) this.clear();
    this.forget();
    this.rest?.remove();
    const added = waiting.map((line) => this.element(`${plain(line)}\n`));
    this.rest = this.waitingRest ? this.element(plain(this.waitingRest)) : null;
    this.place.append(...added, ...(this.rest ? [this.rest] : []));
    while (this.place.childElementCount > MAX_LINES) {
      this.place.firstElementChild.remove();
      this.cut = true;
    }
    if (sticks) this.scrollToEnd();
    this.changed(this.rest ? [...added, this.rest] : added);
  }

  element(text) {
    const line = document.createElement('span');
    line.className = 'line';
    line.textContent = text;
    const badness = level(text);
    if (badness) line.dataset.level = badness;
    return line;
  }

  isAtEnd() {
    return this.place.scrollTop + this.place.clientHeight >= this.place.scrollHeight - 8;
  }

  scrollToEnd() {
    this.place.scrollTop = this.place.scrollHeight;
  }
}

// Finds a text in the lines and marks it without touching them.
class Search {
  constructor(view) {
    this.view = view;
    this.pattern = null;
    this.matches = [];
    this.current = -1;
    this.marks = globalThis.Highlight ? { all: new Highlight(), current: new Highlight() } : null;
    if (this.marks) {
      CSS.highlights.set('match', this.marks.all);
      CSS.highlights.set('current-match', this.marks.current);
    }
  }

  look(text) {
    this.pattern = text ? new RegExp(text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'), 'gi') : null;
    this.matches = [];
    this.current = -1;
    this.add([...this.view.place.children]);
    if (this.matches.length > 0) this.go(this.matches.length - 1);
    else this.mark();
  }

  // Looks at new lines, and forgets those that are gone.
  add(lines) {
    const now = this.matches[this.current];
    this.matches = this.matches.filter((match) => match.startContainer.isConnected);
    for (const line of lines) {
      const found = this.pattern ? [...line.textContent.matchAll(this.pattern)].slice(0, MAX_LINE_MATCHES) : [];
      line.classList.toggle('match', found.length > 0);
      for (const hit of found) {
        const node = line.firstChild;
        this.matches.push(
          new StaticRange({
            startContainer: node,
            startOffset: hit.index,
            endContainer: node,
            endOffset: hit.index + hit[0].length,
          }),
        );
      }
    }
    this.current = this.matches.indexOf(now);
    this.mark();
  }

  step(by) {
    const count = this.matches.length;
    if (count > 0) this.go((this.current + by + count) % count);
  }

  go(index) {
    this.current = index;
    this.mark();
    this.matches[index].startContainer.parentElement.scrollIntoView({ block: 'nearest' });
  }

  mark() {
    if (!this.marks) return;
    this.marks.all.clear();
    this.marks.current.clear();
    for (const match of this.matches.slice(-MAX_MATCHES_SHOWN)) this.marks.all.add(match);
    if (this.current >= 0) this.marks.current.add(this.matches[this.current]);
  }

  text() {
    if (!this.pattern) return '';
    if (this.matches.length === 0) return 'no match';
    return this.current < 0 ? `${this.matches.length} matches` : `${this.current + 1} of ${this.matches.length}`;
  }
}

class LogPage {
  constructor(place) {
    this.place = place;
    this.address = place.dataset.follow;
    this.view = new LogView(place);
    this.search = new Search(this.view);
    this.view.changed = (lines) => {
      if (!this.view.paused) this.search.add(lines);
      this.show();
    };
    this.listen();
    this.follow();
  }

  listen() {
    const box = byId('search');
    const on = (id, event, handler) => byId(id).addEventListener(event, handler);
    on('search', 'input', () => {
      this.find(box.value);
      this.announce();
    });
    on('search', 'keydown', (event) => {
      if (event.key === 'Enter') this.step(event.shiftKey ? -1 : 1);
    });
    on('previous', 'click', () => this.step(-1));
    on('next', 'click', () => this.step(1));
    on('matching', 'change', () => this.showOnlyMatching());
    on('wrap', 'change', (event) => {
      remembered.set('wrap', event.target.checked ? null : 'off');
      this.place.classList.toggle('unwrapped', !event.target.checked);
    });
    on('pause', 'click', () => this.pause(!this.view.paused));
    on('clear', 'click', () => this.menu(() => this.empty()));
    on('copy', 'click', () => this.menu(() => this.copy()));
    on('save', 'click', () => this.menu(() => this.save()));
    on('newest', 'click', () => {
      this.view.scrollToEnd();
      this.place.focus();
    });
    this.place.addEventListener('scroll', () => this.show());
    document.addEventListener('visibilitychange', () => this.hideOrShow());
    byId('wrap').checked = remembered.get('wrap') !== 'off';
    this.place.classList.toggle('unwrapped', !byId('wrap').checked);
  }

  find(text) {
    this.search.look(text);
    this.showOnlyMatching();
    this.show();
  }

  // Nothing matches no text, and then all of it is wanted.
  showOnlyMatching() {
    this.place.classList.toggle('only-matching', byId('matching').checked && this.search.pattern !== null);
  }

  step(by) {
    this.search.step(by);
    this.show();
    this.announce();
  }

  // Tells what was found to a person who asked, but not how it grows with the log.
  announce() {
    write(byId('searched'), this.search.text());
  }

  pause(paused) {
    this.view.paused = paused;
    byId('pause').classList.toggle('paused', paused);
    byId('pause').textContent = paused ? 'Resume' : 'Pause';
    if (!paused) this.view.flush();
    this.show();
  }

  menu(action) {
    escapeMenu();
    action();
  }

  empty() {
    this.view.clear();
    this.find(byId('search').value);
  }

  // What is shown, all of it or the matching lines.
  shownText() {
    const lines = [...this.place.children].filter((line) => line.getClientRects().length > 0);
    return lines.length ? lines.map((line) => line.textContent).join('') : this.place.textContent;
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.shownText());
      say('Copied');
    } catch {
      // Pages that did not come over TLS may not write to the clipboard: select it for the person to copy.
      getSelection().selectAllChildren(this.place);
      say('Selected; press Ctrl+C to copy');
    }
  }

  save() {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([this.shownText()], { type: 'text/plain' }));
    link.download = `${document.querySelector('h1').textContent.replace(/[^\w.-]+/g, '_')}.log`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // Reads the stream until it ends, and again. A new stream starts with the end of the log, so the view starts anew.
  async follow() {
    for (this.retryMillis = FIRST_LOG_RETRY_MILLIS; ; ) {
      await this.seen();
      this.aborter = new AbortController();
      try {
        const answer = await fetch(this.address, { cache: 'no-store', signal: this.aborter.signal });
        if (!answer.ok) throw new Error(answer.status === 404 ? 'no log to follow' : `error ${answer.status}`);
        await this.read(answer.body.getReader());
        this.trouble = 'the stream ended';
      } catch (error) {
        const { signal } = this.aborter;
        // Browsers report a lost connection as a TypeError, each in its own words.
        const lost = error instanceof TypeError ? 'connection lost' : error.message;
        this.trouble = signal.aborted ? signal.reason.message : lost;
      }
      this.show();
      await new Promise((resolve) => setTimeout(resolve, this.retryMillis));
      this.retryMillis = Math.min(2 * this.retryMillis, LAST_LOG_RETRY_MILLIS);
    }
  }

  // Waits until somebody looks.
  seen() {
    return new Promise((resolve) => {
      const look = () => {
        if (document.hidden) return;
        document.removeEventListener('visibilitychange', look);
        resolve();
      };
      document.addEventListener('visibilitychange', look);
      look();
    });
  }

  // A view that was paused stays as it is.
  hideOrShow() {
    clearTimeout(this.unseenTimer);
    if (!document.hidden) return;
    this.unseenTimer = setTimeout(() => {
      if (!this.view.paused) this.aborter.abort(new Error('nobody looked'));
    }, UNSEEN_MILLIS);
  }

  async read(reader) {
    this.retryMillis = FIRST_LOG_RETRY_MILLIS;
    const decoder = new TextDecoder();
    const lines = new Lines();
    this.view.renew();
    this.trouble = '';
    if (!this.view.paused) this.find(byId('search').value);
    this.show();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const complete = lines.push(decoder.decode(value, { stream: true }));
      this.view.take(complete, lines.rest);
    }
  }

  show() {
    const { paused, outdated, waitingCount, cut } = this.view;
    const following = cut ? `Following the last ${MAX_LINES} lines` : 'Following';
    const place = byId('follow');
    place.classList.toggle('bad', Boolean(this.trouble));
    write(place, this.trouble ? `Not following: ${this.trouble}` : paused ? 'Paused' : following);
    // A stream that began anew also repeats lines that are shown.
    const counted = paused && !outdated && !this.trouble;
    write(byId('news'), counted ? `, ${waitingCount} new ${waitingCount === 1 ? 'line' : 'lines'}` : '');
    write(byId('found'), this.search.text());
    byId('newest').hidden = this.view.isAtEnd();
  }
}
