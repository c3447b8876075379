// Reads state machines from standard input, one JSON text on a line; writes what is wrong with each, one JSON list on a line.
const validate = require("asl-validator");
const readline = require("node:readline");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const told = validate(JSON.parse(line), { checkPaths: true, checkArn: true });
  console.log(JSON.stringify(told.isValid ? [] : told.errors));
});
