
// A small line of what a figure was in the last two minutes.

const SAMPLE_MILLIS = 2000;
const SAMPLES = 60;
const SVG = 'http://www.w3.org/2000/svg';

class History {
  // `floor` is the least value at the top of the picture, so that noise does not look like a mountain.
  constructor(cell, floor) {
    this.floor = floor;
    this.values = [];
    this.line = document.createElementNS(SVG, 'path');
    const picture = document.createElementNS(SVG, 'svg');
    picture.setAttribute('viewBox', `0 0 ${SAMPLES - 1} 20`);
    picture.setAttribute('preserveAspectRatio', 'none');
    picture.setAttribute('class', 'history');
    picture.setAttribute('aria-hidden', 'true');
    picture.append(this.line);
    cell.append(picture);
  }

  add(value) {
    this.values.push(value);
    if (this.values.length > SAMPLES) this.values.shift();
  }

  draw() {
    if (this.values.length === 0) return;
    const top = Math.max(this.floor, ...this.values) * 1.1;
    const first = SAMPLES - this.values.length;
    const points = this.values.map((each, index) => `${first + index} ${(19 - (each / top) * 18).toFixed(1)}`);
    this.line.setAttribute('d', `M${points.join('L')}`);
  }

  clear() {
    this.values = [];
    this.line.removeAttribute('d');
  }
}
