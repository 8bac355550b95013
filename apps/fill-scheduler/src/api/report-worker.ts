import { parentPort, workerData } from 'node:worker_threads'
import { type ReportJob, writeJob } from './report-job.js'

// The entry of a thread that writes one report.

parentPort?.postMessage(await writeJob(workerData as ReportJob))
