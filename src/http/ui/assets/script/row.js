
// One process on a page: a row of the status page, or the whole page of a program.

const RUNNING_VERBS = ['restart', 'stop'];
const STOPPED_VERBS = ['start'];
const VERBS_BY_STATE = {
  RUNNING: RUNNING_VERBS,
  STOPPED: STOPPED_VERBS,
  EXITED: STOPPED_VERBS,
  FATAL: STOPPED_VERBS,
};
// The state of a process that was removed while its page was open.
const GONE = 'REMOVED';
const ENDED_STATES = ['STOPPED', 'EXITED', 'BACKOFF', 'FATAL'];

// A clone of a template's element with the names it stands for. The placeholders survive percent-encoding.
function instantiate(template, group, name) {
  const namespec = group === name ? name : `${group}:${name}`;
  const names = { 'TEMPLATE-GROUP': group, 'TEMPLATE-PROCESS': name };
  const placeholders = /TEMPLATE-GROUP(?::|%3A)TEMPLATE-PROCESS|TEMPLATE-GROUP|TEMPLATE-PROCESS/g;
  const replace = (text, encode) => text.replace(placeholders, (found) => encode(names[found] ?? namespec));
  const clone = template.content.firstElementChild.cloneNode(true);
  const walker = document.createTreeWalker(clone, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = clone; node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      node.data = replace(node.data, String);
    } else {
      for (const attribute of node.attributes) {
        const encode = attribute.name === 'href' ? encodeURIComponent : String;
        attribute.value = replace(attribute.value, encode);
      }
    }
  }
  return clone;
}

// How a process ended is known only after a regular end, and only until it is started again.
function endingText(process) {
  const ended = process.statename === 'EXITED' || process.statename === 'STOPPED';
  if (!ended || process.exit_code === null) return '';
  return process.exit_code === -1 ? 'ended by a signal' : `exit status ${process.exit_code}`;
}

function noteText(process) {
  if (process.statename === 'EXITED') return endingText(process);
  const between = process.statename === 'STARTING' || process.statename === 'STOPPING';
  return between && process.pid ? `pid ${process.pid}` : '';
}

class Row {
  constructor(element, template) {
    this.element = element;
    this.namespec = element.dataset.namespec;
    this.group = element.dataset.group;
    this.name = element.dataset.name;
    this.form = element.querySelector('form.actions');
    this.addButtons(template);
    this.cpu = element.querySelector('.cpu');
    this.memory = element.querySelector('.memory');
    this.cpuHistory = new History(this.cpu, 10);
    this.memoryHistory = new History(this.memory, 1 << 20);
    this.form.addEventListener('acted', () => this.showButtons());
    this.showButtons();
  }

  get state() {
    return this.element.dataset.state;
  }

  get isGone() {
    return this.state === GONE;
  }

  // Without a script only the buttons that can be pressed are there.
  addButtons(template) {
    const all = instantiate(template, this.group, this.name).querySelectorAll('button.action');
    const there = new Map([...this.form.querySelectorAll('button.action')].map((button) => [button.value, button]));
    this.buttons = [...all].map((button) => there.get(button.value) ?? button);
    this.menu = this.form.querySelector('details');
    for (const button of this.buttons) this.form.insertBefore(button, this.menu);
  }

  // A busy button stays until its answer is there, and one with the focus while the state is about to change. The focus
  // never falls into nothing.
  showButtons() {
    const verbs = VERBS_BY_STATE[this.state] ?? [];
    const focused = this.form.contains(document.activeElement) ? document.activeElement : null;
    const waiting = verbs.length === 0 && !this.isGone ? focused : null;
    for (const button of this.buttons) {
      button.hidden = !verbs.includes(button.value) && button.ariaBusy !== 'true' && button !== waiting;
    }
    this.menu.hidden = this.isGone;
    if (focused?.closest('[hidden]')) {
      const heir = this.buttons.find((button) => !button.hidden) ?? this.menu.querySelector('summary');
      (heir.closest('[hidden]') ? byId('main') : heir).focus();
    }
  }

  update(process, now) {
    const same = this.process?.start === process.start;
    this.process = process;
    this.element.dataset.state = process.statename;
    this.put('.statename', process.statename.toLowerCase());
    this.put('.note', noteText(process));
    const measured = process.measured;
    this.usage = { cpuMillis: process.cpu_millis, measured, at: now, share: same && this.usage ? this.usage.share : null };
    if (process.cpu_millis === null) this.forgetUsage();
    else this.memoryBytes = process.memory_bytes;
    this.showFacts(process);
    this.showButtons();
    this.tick(now);
  }

  // Shows that there is no such process any more.
  vanish() {
    this.process = null;
    this.element.dataset.state = GONE;
    this.put('.statename', 'removed');
    for (const place of ['.description', '.note', '.ago']) this.put(place, '');
    this.put('[data-fact=pid]', 'none');
    this.forgetUsage();
    this.showButtons();
  }

  put(selector, text) {
    const place = this.element.querySelector(selector);
    if (place) write(place, text);
  }

  // Whether the row is on the screen. Only there its figures move.
  see(seen, now) {
    this.seen = seen;
    if (seen) this.tick(now);
  }

  // What grows older by itself.
  tick(now) {
    const process = this.process;
    if (!process) return;
    const secs = Math.floor(now / 1000);
    const running = process.statename === 'RUNNING';
    const uptime = uptimeText(Math.max(0, secs - process.start));
    this.put('.description', running ? `pid ${process.pid}, uptime ${uptime}` : process.description);
    const ended = process.stop && ENDED_STATES.includes(process.statename);
    this.put('.ago', ended ? agoText(secs - process.stop) : '');
    this.showUsage();
  }

  // Every two seconds it is told about the processes whose numbers changed: when they were read, and when they were read
  // before that, and were what it knows.
  use([cpuMillis, memoryBytes, measured, since], now) {
    const millis = this.usage ? measured - Math.max(this.usage.measured, since) : 0;
    if (millis > 0) this.usage.share = Math.max(0, (100 * (cpuMillis - this.usage.cpuMillis)) / millis);
    this.usage = { share: null, ...this.usage, cpuMillis, measured, at: now };
    this.memoryBytes = memoryBytes;
    if (this.seen) this.showUsage();
  }

  forgetUsage() {
    this.usage = null;
    this.memoryBytes = null;
    this.cpuHistory.clear();
    this.memoryHistory.clear();
    this.cpu.querySelector('.figure').textContent = '';
    this.memory.querySelector('.figure').textContent = '';
  }

  sample(now) {
    if (!this.usage) return;
    if (this.usage.share !== null && now - this.usage.at > 1.5 * SAMPLE_MILLIS) this.usage.share = 0;
    this.cpuHistory.add(this.usage.share ?? 0);
    this.memoryHistory.add(this.memoryBytes);
    if (!this.seen) return;
    this.cpuHistory.draw();
    this.memoryHistory.draw();
  }

  // Until there are two reports to compare, the share is the average since the start.
  showUsage() {
    if (!this.usage) return;
    const { share, cpuMillis, measured } = this.usage;
    const average = cpuMillis / 10 / Math.max(1, measured / 1000 - this.process.start);
    this.put('.cpu .figure', `${(share ?? average).toFixed(1)} %`);
    this.cpu.querySelector('.figure').title = share === null ? 'Average since it was started' : '';
    this.put('.memory .figure', bytesText(this.memoryBytes));
  }

  // The table of the page of a program.
  showFacts(process) {
    const time = (secs) => (secs ? new Date(secs * 1000).toLocaleString() : 'never');
    this.put('[data-fact=pid]', process.pid ? String(process.pid) : 'none');
    this.put('[data-fact=start]', time(process.start));
    this.put('[data-fact=stop]', time(process.stop));
    this.put('[data-fact=ending]', endingText(process) || 'none');
    this.put('[data-fact=spawnerr]', process.spawnerr || 'none');
  }
}
