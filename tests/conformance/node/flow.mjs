// The main flow through the official Node SDK: `node flow.mjs URL KEY MODEL TRAINING_FILE`. Prints what it saw as JSON.
import assert from "node:assert/strict";
import fs from "node:fs";
import OpenAI from "openai";

const [baseURL, apiKey, model, path] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const lines = fs.readFileSync(path, "utf8");

const file = await client.files.create({ file: fs.createReadStream(path), purpose: "fine-tune" });
assert.equal(file.bytes, Buffer.byteLength(lines));
assert.equal(await (await client.files.content(file.id)).text(), lines);

let job = await client.fineTuning.jobs.create({
  model, training_file: file.id, suffix: "node", seed: 5, metadata: { by: "node" },
  method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 2 } } },
});
assert.equal(job.status, "validating_files");
for (let n = 0; !["succeeded", "failed", "cancelled"].includes(job.status); n++) {
  assert.ok(n < 600, `${job.id} is still ${job.status}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  job = await client.fineTuning.jobs.retrieve(job.id);
}
assert.equal(job.status, "succeeded");
assert.match(job.fine_tuned_model, /^ft:.+:node:[A-Za-z0-9]{8}$/);

const messages = [];
for await (const event of client.fineTuning.jobs.listEvents(job.id, { limit: 4 })) messages.push(event.message);
assert.equal(messages[0], "The job has successfully completed");
assert.ok(messages.includes(`Created fine-tuning job: ${job.id}`));
const steps = [];
for await (const point of client.fineTuning.jobs.checkpoints.list(job.id, { limit: 1 })) steps.push(point.step_number);
assert.deepEqual(steps, [20, 10]);
const found = [];
for await (const one of client.fineTuning.jobs.list({ metadata: { by: "node" } })) found.push(one.id);
assert.equal(found[0], job.id);

const asked = { model: job.fine_tuned_model, messages: [{ role: "user", content: "Hi" }], max_tokens: 5, seed: 1 };
const whole = await client.chat.completions.create(asked);
let text = "";
for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
  text += chunk.choices[0]?.delta?.content ?? "";
}
assert.equal(text, whole.choices[0].message.content);

await assert.rejects(client.fineTuning.jobs.retrieve("ftjob-x"), (error) => {
  assert.ok(error instanceof OpenAI.NotFoundError);
  assert.equal(error.code, "fine_tune_not_found");
  assert.ok(error.requestID);
  return true;
});
assert.equal((await client.models.delete(job.fine_tuned_model)).deleted, true);
assert.equal((await client.files.delete(file.id)).deleted, true);
console.log(JSON.stringify({ job: job.id, events: messages.length, tokens: job.trained_tokens }));
