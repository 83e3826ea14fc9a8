import java.net.InetSocketAddress;

import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ContextHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBRequestHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBServerHandler;

/**
 * Runs DynamoDB Local for the tests: in memory, on a free port of the loopback address, which it prints.
 *
 * <p>DynamoDB Local's own main class listens on every address and needs to be given a port.
 */
public final class LocalDynamoDB {
    private LocalDynamoDB() {}

    public static void main(String[] args) throws Exception {
        Server server = new Server(new InetSocketAddress("127.0.0.1", 0));
        server.setHandler(new ContextHandler(dynamoDb()));
        server.start();
        int port = ((ServerConnector) server.getConnectors()[0]).getLocalPort();
        System.out.println("http://127.0.0.1:" + port);
        server.join();
    }

    private static LocalDynamoDBServerHandler dynamoDb() throws Exception {
        int unusedPort = 0;
        boolean inMemory = true;
        String noFiles = null;
        boolean sharedByAllRegionsAndCredentials = true;
        boolean delayedStatuses = false;
        var requests = new LocalDynamoDBRequestHandler(
                unusedPort, inMemory, noFiles, sharedByAllRegionsAndCredentials, delayedStatuses);
        String anyOrigin = "*";
        return new LocalDynamoDBServerHandler(requests, anyOrigin);
    }
}
