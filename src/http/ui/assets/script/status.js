
// The status page, and the page of a program, which is one row of it.

const FAILING = ['FATAL', 'BACKOFF'];

class StatusPage {
  constructor() {
    this.rowTemplate = byId('row-template');
    this.rows = new Map();
    this.rowOf = new WeakMap();
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) this.rowOf.get(entry.target).see(entry.isIntersecting, this.live.now());
    });
    for (const element of document.querySelectorAll('main .process')) this.adopt(element);
    this.live = new Live(this);
    setInterval(() => this.each((row, now) => row.seen && row.tick(now)), 1000);
    setInterval(() => this.each((row, now) => row.sample(now)), SAMPLE_MILLIS);
  }

  adopt(element) {
    const row = new Row(element, this.rowTemplate);
    this.rows.set(row.namespec, row);
    this.rowOf.set(element, row);
    this.observer.observe(element);
    return row;
  }

  each(visit) {
    if (document.hidden || !this.live.source) return;
    for (const row of this.rows.values()) visit(row, this.live.now());
  }

  status(data) {
    showSupervisor(data.supervisor);
    for (const process of data.processes) {
      const row = this.find(process);
      // It may have come back with another configuration.
      if (row?.isGone) location.reload();
      row?.update(process, data.now);
    }
    const told = new Set(data.processes.map((process) => process.namespec));
    const isGone = data.complete ? (namespec) => !told.has(namespec) : (namespec) => data.removed.includes(namespec);
    for (const row of [...this.rows.values()]) {
      if (isGone(row.namespec)) this.remove(row);
    }
  }

  usage(data) {
    for (const [namespec, figures] of Object.entries(data.processes)) {
      this.rows.get(namespec)?.use(figures, data.now);
    }
  }

  find(process) {
    return this.rows.get(process.namespec);
  }

  remove(row) {
    if (row.isGone) return;
    row.vanish();
    say(`ERROR: ${row.namespec} is not there any more`);
  }
}

class ListPage extends StatusPage {
  constructor() {
    super();
    this.table = byId('processes');
    this.single = byId('single');
    this.filter = byId('filter');
    this.onlyState = '';
    // The page has two addresses: its directory, and index.html in it.
    this.foldedKey = `folded.${location.pathname.replace(/[^/]*$/, '')}`;
    this.folded = new Set(remembered.getList(this.foldedKey));
    this.filter.addEventListener('input', () => this.show());
    for (const button of this.stateButtons()) {
      button.disabled = false;
      button.addEventListener('click', () => this.choose(button.dataset.state));
    }
    for (const body of this.groups()) this.makeFoldable(body);
    this.show();
  }

  stateButtons() {
    return document.querySelectorAll('.counts button');
  }

  groups() {
    return [...this.table.querySelectorAll('tbody.group')];
  }

  makeFoldable(body) {
    const button = body.querySelector('.fold');
    button.disabled = false;
    button.addEventListener('click', () => {
      const name = body.dataset.group;
      if (!this.folded.delete(name)) this.folded.add(name);
      remembered.set(this.foldedKey, JSON.stringify([...this.folded]));
      this.show();
    });
  }

  // A second press takes the choice back.
  choose(state) {
    this.onlyState = state === this.onlyState ? '' : state;
    for (const button of this.stateButtons()) {
      button.setAttribute('aria-pressed', String(button.dataset.state === this.onlyState));
    }
    this.show();
  }

  status(data) {
    this.keepFocus(() => {
      super.status(data);
      this.settle();
      this.show();
    });
  }

  // When what has the focus goes away, its neighbour gets it.
  keepFocus(change) {
    const focused = document.activeElement;
    const rows = this.table.contains(focused) ? [...this.table.querySelectorAll('tbody > tr')] : [];
    const place = rows.indexOf(focused?.closest('tr'));
    change();
    const isThere = (element) => element?.isConnected && !element.closest('[hidden]');
    if (place < 0 || (this.table.contains(document.activeElement) && isThere(document.activeElement))) return;
    const neighbours = [...rows.slice(place), ...rows.slice(0, place).reverse()];
    const heirs = [focused, ...neighbours.map((row) => row.querySelector('.name a, .fold')), byId('main')];
    heirs.find(isThere).focus();
  }

  find(process) {
    return super.find(process) ?? this.add(process);
  }

  // Where its row belongs is known only when all are told about.
  add(process) {
    const element = instantiate(this.rowTemplate, process.group, process.name);
    // A group's own name in front is only for members of another name.
    if (process.group === process.name) element.querySelector('.name a').textContent = process.name;
    return this.adopt(element);
  }

  // A process is no group but itself while it is the only member of a group of its name.
  settle() {
    const sizes = new Map();
    for (const row of this.rows.values()) sizes.set(row.group, (sizes.get(row.group) ?? 0) + 1);
    for (const row of this.rows.values()) {
      const single = row.group === row.name && sizes.get(row.group) === 1;
      const body = row.element.parentElement;
      if (!body || (body === this.single) !== single) this.place(row, single ? this.single : this.groupBody(row.group));
    }
    for (const body of this.groups()) {
      if (!body.querySelector('tr.process')) body.remove();
    }
  }

  // Rows and groups stay in the order of their names.
  place(row, body) {
    const next = [...body.querySelectorAll('tr.process')].find((other) => other.dataset.name > row.name);
    body.insertBefore(row.element, next ?? null);
  }

  groupBody(group) {
    const there = this.groups().find((body) => body.dataset.group === group);
    if (there) return there;
    const body = instantiate(byId('group-template'), group, '');
    const next = this.groups().find((other) => other.dataset.group > group);
    this.table.insertBefore(body, next ?? null);
    this.makeFoldable(body);
    return body;
  }

  remove(row) {
    this.rows.delete(row.namespec);
    this.observer.unobserve(row.element);
    row.element.remove();
  }

  // Shows what matches the filter and counts. While a filter is on, groups are unfolded.
  show() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const filtering = words.length > 0 || this.onlyState !== '';
    let shown = 0;
    for (const row of this.rows.values()) {
      const text = `${row.namespec} ${row.state}`.toLowerCase();
      const matches = words.every((word) => text.includes(word)) && (!this.onlyState || row.state === this.onlyState);
      const folded = !filtering && row.element.parentElement !== this.single && this.folded.has(row.group);
      row.element.hidden = !matches || folded;
      shown += matches ? 1 : 0;
    }
    for (const body of this.groups()) this.showGroup(body, filtering);
    this.showCounts();
    byId('nothing').textContent = this.rows.size > 0 ? '' : 'No programs to manage';
    byId('nothing').hidden = this.rows.size > 0;
    this.table.hidden = this.rows.size === 0;
    byId('unmatched').hidden = shown > 0 || this.rows.size === 0;
  }

  showGroup(body, filtering) {
    const members = [...body.querySelectorAll('tr.process')];
    body.hidden = filtering && members.every((element) => element.hidden);
    const open = filtering || !this.folded.has(body.dataset.group);
    body.querySelector('.fold').setAttribute('aria-expanded', String(open));
    const running = members.filter((element) => element.dataset.state === 'RUNNING').length;
    body.querySelector('.tally .count').textContent = running;
    for (const total of body.querySelectorAll('.total')) total.textContent = members.length;
    body.classList.toggle('failing', members.some((element) => FAILING.includes(element.dataset.state)));
  }

  showCounts() {
    const counts = new Map();
    for (const row of this.rows.values()) counts.set(row.state, (counts.get(row.state) ?? 0) + 1);
    for (const button of this.stateButtons()) {
      const state = button.dataset.state;
      if (state === '') continue;
      button.querySelector('.count').textContent = counts.get(state) ?? 0;
      button.hidden = !counts.has(state) && state !== this.onlyState;
    }
    for (const total of document.querySelectorAll('.toolbar .total')) total.textContent = this.rows.size;
    const failing = FAILING.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
    document.title = failing ? `(${failing} failing) Supervisor Status` : 'Supervisor Status';
  }
}
