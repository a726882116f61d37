using Lintel.Infrastructure;

namespace Lintel.Features.Files;

/// <summary>An object store in a process of its own.</summary>
public sealed class S3Server : IDisposable
{
    private const string Bucket = "lintel";

    private readonly DirectoryInfo _folder;
    private readonly NodeProgram _program;

    private S3Server(DirectoryInfo folder, NodeProgram program, int port) => (_folder, _program, Port) = (folder, program, port);

    public int Port { get; }

    /// <summary>With which a server keeps its files there.</summary>
    public string[] Settings =>
    [
        "--FILE_STORAGE=s3", $"--S3_BUCKET={Bucket}", $"--S3_ENDPOINT=http://127.0.0.1:{Port}", "--S3_ACCESS_KEY=S3RVER", "--S3_SECRET_KEY=S3RVER", "--S3_PREFIX=site",
    ];

    public static S3Server Start()
    {
        var folder = Directory.CreateTempSubdirectory("lintel-s3-");
        var program = NodeProgram.Start("s3-server.mjs", folder.FullName, Bucket);
        return new(folder, program, program.ReadFirst().GetProperty("port").GetInt32());
    }

    /// <summary>How many objects there are, and uploads in parts that were neither completed nor given up.</summary>
    public int Count() =>
        Directory.EnumerateFiles(_folder.FullName, "*._S3rver_object", SearchOption.AllDirectories).Count()
        + Directory.EnumerateFiles(_folder.FullName, "key", SearchOption.AllDirectories).Count();

    /// <summary>Ends it without a word.</summary>
    public void Kill() => _program.Dispose();

    public void Dispose()
    {
        _program.Dispose();
        _folder.Delete(recursive: true);
    }
}
