/** The worker that trains: the page calls a Trainer in it. */
import { expose } from "comlink";
import { Trainer } from "./trainer.js";

expose(new Trainer());
