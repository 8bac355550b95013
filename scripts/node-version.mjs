// Imported first, for its effect: an old Node is told so in words, before a newer language feature makes it stumble.

const MAJOR = 20
const MINOR = 19
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < MAJOR || (major === MAJOR && minor < MINOR)) {
  console.error(`Holdfast needs Node ${MAJOR}.${MINOR} or newer; this is Node ${process.versions.node}.`)
  console.error('Install a newer one from https://nodejs.org and run the command again.')
  process.exit(1)
}
