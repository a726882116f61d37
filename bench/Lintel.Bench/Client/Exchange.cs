using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Lintel.Bench.Client;

/// <summary>One connection that sends a request, waits for the whole answer, and only then may send the next.</summary>
internal abstract unsafe class Exchange : IDisposable
{
    private const int InitialBuffer = 4 * 1024;
    private const int MaxAnswer = 1024 * 1024;

    private readonly Socket socket;
    private readonly nint descriptor;
    private byte[] buffer = new byte[InitialBuffer];
    private int buffered;

    protected Exchange(Socket socket)
    {
        this.socket = socket;
        descriptor = socket.Handle;
    }

    public nint Descriptor => descriptor;

    protected abstract ReadOnlySpan<byte> Request { get; }

    /// <summary>Looks at what has arrived so far and says how many bytes it has done with; throws when the answer is not the expected one.</summary>
    /// <param name="received">Everything unconsumed.</param>
    /// <param name="answered">Whether those bytes complete the answer.</param>
    protected abstract int Consume(ReadOnlySpan<byte> received, out bool answered);

    public static Socket Connect(IPEndPoint server, IPAddress? from = null)
    {
        var connection = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (from is not null)
            {
                connection.Bind(new IPEndPoint(from, 0));
            }

            connection.Connect(server);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Send() => SendNow(Request);

    /// <summary>Reads what is there; true once an answer is complete.</summary>
    public bool Receive()
    {
        MakeRoom();
        nint read;
        fixed (byte* pointer = buffer)
        {
            read = Libc.Receive(descriptor, pointer + buffered, buffer.Length - buffered, Libc.DontWait);
        }

        if (read <= 0)
        {
            return read < 0 && Marshal.GetLastPInvokeError() is (Libc.TryAgain or Libc.Interrupted)
                ? false
                : throw new IOException($"The server closed a connection (recv gave {read}).");
        }

        buffered += (int)read;
        return ConsumeBuffered();
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => socket.Dispose();

    /// <summary>Requests are far smaller than a socket's buffer, which is empty whenever one is sent.</summary>
    protected void SendNow(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* pointer = bytes)
        {
            if (Libc.Send(descriptor, pointer, bytes.Length, Libc.NoSignal) != bytes.Length)
            {
                throw new Win32Exception();
            }
        }
    }

    private bool ConsumeBuffered()
    {
        var start = 0;
        var answers = 0;
        while (start < buffered)
        {
            var consumed = Consume(buffer.AsSpan(start, buffered - start), out var answered);
            if (consumed == 0)
            {
                break;
            }

            start += consumed;
            answers += answered ? 1 : 0;
        }

        if (answers > 1)
        {
            throw new IOException("The server answered one request more than once.");
        }

        buffer.AsSpan(start, buffered - start).CopyTo(buffer);
        buffered -= start;
        return answers == 1;
    }

    private void MakeRoom()
    {
        if (buffered < buffer.Length)
        {
            return;
        }

        if (buffer.Length >= MaxAnswer)
        {
            throw new IOException($"An answer is longer than {MaxAnswer} bytes.");
        }

        Array.Resize(ref buffer, buffer.Length * 2);
    }
}
