using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Lintel.Bench.Client;

/// <summary>Which of many sockets have something to read: one system call answers for all of them.</summary>
internal sealed unsafe class Epoll : IDisposable
{
    private const int CloseOnExec = 0x80000;
    private const int Add = 1;
    private const uint Readable = 1;

    // struct epoll_event is packed on x86-64 and naturally aligned elsewhere.
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int DataOffset = Packed ? 4 : 8;
    private static readonly int Stride = DataOffset + sizeof(ulong);

    private readonly int descriptor;
    private readonly byte[] entries;
    private readonly int capacity;

    public Epoll(int capacity)
    {
        this.capacity = capacity;
        entries = GC.AllocateArray<byte>(capacity * Stride, pinned: true);
        descriptor = Libc.EpollCreate(CloseOnExec);
        if (descriptor < 0)
        {
            throw new Win32Exception();
        }
    }

    public void Watch(nint socket, int key)
    {
        Span<byte> entry = stackalloc byte[Stride];
        entry.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(entry, Readable);
        BinaryPrimitives.WriteInt32LittleEndian(entry[DataOffset..], key);
        fixed (byte* pointer = entry)
        {
            if (Libc.EpollControl(descriptor, Add, socket, pointer) < 0)
            {
                throw new Win32Exception();
            }
        }
    }

    /// <summary>How many sockets are readable; their keys are then at <see cref="KeyAt"/>.</summary>
    public int Wait(int timeoutMilliseconds)
    {
        fixed (byte* pointer = entries)
        {
            var ready = Libc.EpollWait(descriptor, pointer, capacity, timeoutMilliseconds);
            if (ready < 0 && Marshal.GetLastPInvokeError() != Libc.Interrupted)
            {
                throw new Win32Exception();
            }

            return Math.Max(ready, 0);
        }
    }

    public int KeyAt(int position) =>
        BinaryPrimitives.ReadInt32LittleEndian(entries.AsSpan((position * Stride) + DataOffset));

    public void Dispose() => _ = Libc.Close(descriptor);
}
