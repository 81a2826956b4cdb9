export { type Enqueuing, type EnqueueWish, enqueueTenants } from './enqueue.ts'
export { openQueue } from './open-queue.ts'
export { type FleetStatus, isDrained, type JobCounts, type Queue, type Setback, sumJobs } from './queue.ts'
export { type FleetEvent, type WorkOptions, type WorkOutcome, workQueue } from './work.ts'
