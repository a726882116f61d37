using System.Buffers;
using Lintel.Platform.Http;
using Lintel.Platform.Json;

namespace Lintel.Features.Beams.Live;

/// <summary>Answers the messages of the live socket. It knows no socket: text in, text out.</summary>
internal static class LiveBeams
{
    /// <summary>Writes the answer to <paramref name="message"/>, whatever it is.</summary>
    /// <param name="message">The message; one of type <see cref="BeamMessageType.Auth"/> is for the socket itself to deal with.</param>
    /// <param name="output">Takes the answer.</param>
    /// <param name="time">The clock for latency and pong.</param>
    /// <param name="started">When the message arrived, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <returns>Whether the answer is a result, which the others in the session see as well.</returns>
    public static bool Answer(in BeamMessage message, IBufferWriter<byte> output, TimeProvider time, long started)
    {
        switch (message.Type)
        {
            case BeamMessageType.DesignBeam:
                return Design(message.Params, output, time, started);
            case BeamMessageType.CheckBeam:
                return Check(message.Params, output, time, started);
            case BeamMessageType.Ping:
                WritePong(output, time.GetUtcNow());
                return false;
            default:
                WriteError(output, message.UnknownTypeMessage);
                return false;
        }
    }

    /// <summary>Writes <c>{"type":"error","message":…}</c>.</summary>
    public static void WriteError(IBufferWriter<byte> output, string message)
    {
        var json = new JsonText(output);
        json.Text("""{"type":"error","message":"""u8, message);
        json.Raw("}"u8);
        json.Complete();
    }

    private static bool Design(ReadOnlySpan<byte> parameters, IBufferWriter<byte> output, TimeProvider time, long started)
    {
        var beam = BeamParameters.Read(parameters);

        if (beam.Errors.Any)
        {
            WriteError(output, beam.Errors);
            return false;
        }

        BeamResults.WriteMessage(output, beam, time, started);
        return true;
    }

    private static bool Check(ReadOnlySpan<byte> parameters, IBufferWriter<byte> output, TimeProvider time, long started)
    {
        var check = CheckParameters.Read(parameters);

        if (check.Errors.Any)
        {
            WriteError(output, check.Errors);
            return false;
        }

        CheckResults.WriteMessage(output, check, time, started);
        return true;
    }

    private static void WriteError(IBufferWriter<byte> output, in FieldErrors errors)
    {
        var json = new JsonText(output);
        json.Text("""{"type":"error","message":"""u8, errors.Message);
        BeamResults.WriteFields(ref json, errors);
        json.Raw("}"u8);
        json.Complete();
    }

    private static void WritePong(IBufferWriter<byte> output, DateTimeOffset now)
    {
        var json = new JsonText(output);
        json.Text("""{"type":"pong","timestamp":"""u8, UtcTimeConverter.Write(now));
        json.Raw("}"u8);
        json.Complete();
    }
}
