import { signals, signalNames } from '../../../otlp/signal.ts'
import type { ReceiverHost } from '../../../pipeline/host.ts'
import { GrpcServer } from '../../../kit/grpc/grpc-server.ts'
import type { GrpcServerSettings } from '../../../kit/grpc/server-config.ts'
import type { UnaryMethod } from '../../../kit/grpc/unary-method.ts'
import { type Intake, createIntakes } from '../../../kit/ingest/intake.ts'

/** OTLP over gRPC: the Export method of each signal that some pipeline wants; the others are UNIMPLEMENTED. */
export function createGrpcSide(settings: GrpcServerSettings, host: ReceiverHost): GrpcServer {
  const methods = new Map<string, UnaryMethod>()
  for (const [signal, intake] of createIntakes(host, 'grpc', signalNames)) {
    methods.set(`/${signals[signal].grpcService}/Export`, exportMethod(intake))
  }
  return new GrpcServer({ settings, where: 'protocols.grpc', methods }, host)
}

/** Success is a response without partial_success, so a message of no bytes. */
function exportMethod(intake: Intake): UnaryMethod {
  return {
    admit: (byteLength) => intake.admit(byteLength),
    failed: () => intake.countFailure(),
    answer: (message, client) => intake.take(message, 'proto', client),
  }
}
