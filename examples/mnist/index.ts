/** `npm start`: trains on MNIST and shows what the network learnt. */
import { Adam, BatchNorm, Dense, init, Relu, Sequential } from "simdgrad";
import { CLASSES, loadMnist, SIDE, type Digits } from "./data.js";
import { HELP, parseOptions, type Options } from "./options.js";
import { confusionTable, drawDigits, ProgressBar } from "./terminal.js";

const PIXELS = SIDE * SIDE;
const number = (value: number): string => Math.round(value).toLocaleString("en-US");
const percent = (share = NaN): string => `${(100 * share).toFixed(2)} %`;

async function run({ epochs, batch, learningRate, seed, variant, json }: Options): Promise<void> {
  const { train, test } = loadMnist();
  const runtime = await init({ variant });
  const model = new Sequential(
    runtime,
    [
      new Dense(PIXELS, 256),
      new BatchNorm(256),
      new Relu(),
      new Dense(256, 256),
      new BatchNorm(256),
      new Relu(),
      new Dense(256, CLASSES),
    ],
    { seed, maxBatch: batch },
  );
  const engine = `node ${process.versions.node}`;
  // With --json, standard output is for the one line that a program reads.
  const print = json ? console.error : console.log;
  print(
    `${number(train.count)} images to train with, ${number(test.count)} to test with; ${engine}, ${runtime.variant} kernels\n`,
  );
  print(`${model.summary()}\n`);

  const optimizer = new Adam({ learningRate });
  const bar = new ProgressBar();
  const history = await model.fit(train.images, train.labels, {
    loss: "softmaxCrossEntropy",
    optimizer,
    epochs,
    batchSize: batch,
    validationData: [test.images, test.labels],
    onBatch: ({ epoch, batch, batches, loss }) => {
      bar.draw(`epoch ${epoch}/${epochs}`, batch / batches, `${batch}/${batches}  loss ${loss.toFixed(4)}`);
    },
    onEpoch: ({ epoch, loss, accuracy, validationLoss = NaN, validationAccuracy, samplesPerSecond }) => {
      bar.clear();
      const training = `loss ${loss.toFixed(4)}  accuracy ${percent(accuracy)}`;
      const testing = `test loss ${validationLoss.toFixed(4)}  accuracy ${percent(validationAccuracy)}`;
      print(`epoch ${epoch}/${epochs}  ${training}  ${testing}  ${number(samplesPerSecond)} images/s`);
      optimizer.learningRate /= 2;
    },
  });

  const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const samplesPerSecond = (epochs * train.count) / seconds;
  const accuracy = history.at(-1)?.validationAccuracy ?? NaN;
  if (json) {
    console.log(JSON.stringify({ accuracy, epochs, seconds, samplesPerSecond, variant: runtime.variant, engine }));
    return;
  }
  print(`\n${number(epochs * train.count)} images in ${seconds.toFixed(1)} s: ${number(samplesPerSecond)} a second`);
  show(test, classify(model, test));
}

/** The digit with the largest output, for each image. */
function classify(model: Sequential, { count, images }: Digits): Uint8Array {
  const logits = model.predict(images);
  return Uint8Array.from({ length: count }, (_, i) => {
    const outputs = logits.subarray(i * CLASSES, (i + 1) * CLASSES);
    return outputs.indexOf(Math.max(...outputs));
  });
}

/** Prints which digits are taken for which, and a few of them: three that were read and up to three that were not. */
function show({ images, labels }: Digits, predictions: Uint8Array): void {
  const all = Array.from(labels, (label, index) => ({ index, label, prediction: predictions[index]! }));
  const wrong = all.filter(({ label, prediction }) => label !== prediction);
  const right = all.filter(({ label, prediction }) => label === prediction);
  console.log(
    `\n${number(wrong.length)} of ${number(all.length)} test images are misread; rows are digits, columns readings:\n`,
  );
  console.log(confusionTable(labels, predictions, CLASSES));
  const examples = [...right.slice(0, 3), ...wrong.slice(0, 3)].map(({ index, label, prediction }) => ({
    image: images.subarray(index * PIXELS, (index + 1) * PIXELS),
    caption: `${label}, read as ${prediction}`,
  }));
  const columns = process.stdout.columns || 80; // some pseudo-terminals say 0
  const colors = process.stdout.isTTY && process.stdout.hasColors(256);
  console.log(`\n${drawDigits(examples, { columns, colors })}`);
}

let options: Options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  const message = (error as Error).message.replace(/\. To specify.*/s, "."); // advice on dashes that nobody asked for
  console.error(`${message}\nnpm start -- --help explains the options.`);
  process.exit(2);
}
if (options.help) console.log(HELP);
else await run(options);
