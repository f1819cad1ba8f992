import type { SKRSContext2D } from '@napi-rs/canvas';
import { CLASSES, type ClassName, type Finding } from '../domain/finding.js';
import { COLOURS } from './picture-style.js';
import type { Rectangle } from './slice-picture.js';
import { writeLine } from './typeface.js';

const AXIS = { size: 15, color: COLOURS.quiet } as const;

/**
 * Probability along the slices, inferior on the left: any hemorrhage as a solid line with dots, the most probable
 * subtype dashed, key slices as ticks.
 */
export function drawProbabilityPlot(
  context: SKRSContext2D,
  finding: Finding,
  area: Rectangle,
): void {
  const title = { size: 20, weight: 'bold', color: COLOURS.text } as const;
  writeLine(context, 'Probability along the slices', area.x, area.y + 4, 340, title);
  const plot = { x: area.x + 56, y: area.y + 28, width: area.width - 72, height: area.height - 80 };
  drawAxes(context, finding, plot, area);

  const { slices, keySlices } = finding;
  const xOf = (index: number) =>
    plot.x + (slices.length < 2 ? 0.5 : index / (slices.length - 1)) * plot.width;
  const yOf = (probability: number) => plot.y + (1 - probability) * plot.height;
  context.fillStyle = COLOURS.notice;
  for (const index of new Set(keySlices.map((keySlice) => keySlice.index))) {
    context.fillRect(xOf(index) - 2, plot.y + plot.height, 4, 9);
  }
  const subtype = leadingSubtype(finding);
  const curve = (name: ClassName) => {
    const column = CLASSES.indexOf(name);
    context.beginPath();
    for (const [i, { probabilities }] of slices.entries()) {
      context.lineTo(xOf(i), yOf(probabilities[column] ?? 0));
    }
    context.stroke();
  };
  context.lineJoin = 'round';
  context.lineWidth = 3;
  context.strokeStyle = COLOURS.secondCurve;
  context.setLineDash([10, 6]);
  curve(subtype);
  context.setLineDash([]);
  context.strokeStyle = COLOURS.curve;
  curve('any');
  context.fillStyle = COLOURS.curve;
  const any = CLASSES.indexOf('any');
  for (const [i, { probabilities }] of slices.entries()) {
    context.beginPath();
    context.arc(xOf(i), yOf(probabilities[any] ?? 0), 4, 0, 2 * Math.PI);
    context.fill();
  }
  drawLegend(context, subtype, area);
}

function drawAxes(
  context: SKRSContext2D,
  { slices, keySlices }: Finding,
  plot: Rectangle,
  area: Rectangle,
): void {
  context.fillStyle = COLOURS.panel;
  context.fillRect(plot.x, plot.y, plot.width, plot.height);
  context.lineWidth = 1;
  context.strokeStyle = COLOURS.line;
  context.textAlign = 'right';
  for (const level of [0, 0.25, 0.5, 0.75, 1]) {
    const y = plot.y + (1 - level) * plot.height;
    context.beginPath();
    context.moveTo(plot.x, y + 0.5);
    context.lineTo(plot.x + plot.width, y + 0.5);
    context.stroke();
    if (level % 0.5 === 0) writeLine(context, `${level * 100} %`, plot.x - 8, y + 5, 50, AXIS);
  }
  const below = plot.y + plot.height + 30;
  writeLine(context, `${slices.length} superior`, plot.x + plot.width, below, 200, AXIS);
  context.textAlign = 'left';
  writeLine(context, '1 inferior', plot.x, below, 200, AXIS);
  if (keySlices.length > 0) {
    context.textAlign = 'center';
    const note = 'slice; yellow ticks: key slices';
    writeLine(context, note, area.x + area.width / 2, below, 400, AXIS);
    context.textAlign = 'left';
  }
}

function drawLegend(context: SKRSContext2D, subtype: ClassName, area: Rectangle): void {
  const y = area.y - 2;
  let x = area.x + 400;
  for (const [name, colour, dash] of [
    ['any', COLOURS.curve, []],
    [subtype, COLOURS.secondCurve, [10, 6]],
  ] as const) {
    context.lineWidth = 3;
    context.strokeStyle = colour;
    context.setLineDash([...dash]);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + 44, y);
    context.stroke();
    context.setLineDash([]);
    const label = name === 'any' ? 'any hemorrhage' : name;
    writeLine(context, label, x + 54, y + 6, 220, { size: 16, color: COLOURS.text });
    x += 290;
  }
}

/** The subtype that is most probable in the study. */
function leadingSubtype({ classes }: Finding): ClassName {
  const [leading] = classes
    .filter(({ name }) => name !== 'any')
    .sort((a, b) => b.probability - a.probability);
  return leading?.name ?? 'intraparenchymal';
}
