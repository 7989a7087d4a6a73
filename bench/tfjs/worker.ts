/** One backend of TensorFlow.js in a process of its own: trains networks and makes calls as it is asked to. */
import * as tf from "@tensorflow/tfjs-core";
import { startBackend, type BackendName } from "../../examples/tfjs/backends.js";
import { makeModel, type ModelName, type Training } from "../../examples/tfjs/models.js";
import { makeCall, type CallName } from "./calls.js";

/** A network to make and to train for some steps, a call to make, or how often to repeat and time what was asked for last. */
export type Request =
  { readonly model: ModelName; readonly steps: number } | { readonly call: CallName } | { readonly repeat: number };

/** The losses of the first steps, the elements of a call's result, the milliseconds of one repetition, or what went wrong. */
export interface Reply {
  readonly values?: number[];
  readonly milliseconds?: number;
  readonly error?: string;
}

let repeat: (times: number) => Promise<void> | void = () => undefined;

async function answer(request: Request): Promise<Reply> {
  if ("model" in request) {
    const training = makeModel(request.model);
    repeat = async (times) => {
      for (let i = 0; i < times; i++) await step(training);
    };
    const values: number[] = [];
    for (let i = 0; i < request.steps; i++) values.push(await step(training));
    return { values };
  }
  if ("call" in request) {
    const call = makeCall(request.call);
    repeat = (times) => {
      call.repeat(times);
    };
    return { values: call.values() };
  }
  const begin = performance.now();
  await repeat(request.repeat);
  return { milliseconds: (performance.now() - begin) / request.repeat };
}

const step = ({ model, x, y }: Training) => model.trainOnBatch(x, y) as Promise<number>;

const send = (reply: Reply) => process.send?.(reply);

tf.env().set("PROD", true); // checks no shapes twice and no values for NaN
await startBackend(process.argv[2] as BackendName);
process.on("message", (request: Request) => {
  answer(request).then(send, (error: unknown) => send({ error: (error as Error).message }));
});
send({});
