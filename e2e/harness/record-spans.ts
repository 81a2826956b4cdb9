import { writeFileSync } from 'node:fs'

import {
  BatchSpanProcessor,
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node'

// Imported into a process before its program (`node --import`): an SDK as people would register one, whose spans go to a file.
const file = process.env['DROVER_SPANS_FILE']
if (file === undefined) throw new Error('DROVER_SPANS_FILE names no file')

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] })
provider.register()
// What a batch still holds at the end would be lost.
process.once('beforeExit', () => {
  void provider.forceFlush().then(() => {
    writeFileSync(file, JSON.stringify(exporter.getFinishedSpans().map(recorded)))
    return provider.shutdown()
  })
})

/** What tests look at. Times in milliseconds since 1970. */
function recorded(span: ReadableSpan): Readonly<Record<string, unknown>> {
  const { name, kind, attributes, status, startTime, endTime } = span
  const { spanId: id, traceId } = span.spanContext()
  const [start, end] = [startTime, endTime].map(([seconds, nanoseconds]) => seconds * 1000 + nanoseconds / 1e6)
  return {
    id,
    traceId,
    parent: span.parentSpanContext?.spanId,
    name,
    kind,
    attributes,
    status,
    start,
    end,
    events: span.events.map((event) => event.name),
    scope: span.instrumentationScope.name,
  }
}
